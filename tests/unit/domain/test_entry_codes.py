"""Entry codes: the published vectors, checked by libraries that are not ours, and what must be refused."""

import re
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from uuid import UUID, uuid4

import base45
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from domain.entry_codes import PREFIX, EntryCode, InvalidEntryCode
from domain.ids import Kind, parse_id
from domain.ticket_keys import TicketKeys, ticket_named_by

PAGE = (Path(__file__).resolve().parents[3] / "docs/entry-codes.md").read_text(encoding="utf-8")
SEEDS = {"A": bytes(range(32)), "B": bytes(range(32, 64))}
EVENT = parse_id("evt_01jedpwz00e008000000000001", Kind.EVENT)
TICKET = parse_id("tkt_01jedpwz00e00800000000005a", Kind.TICKET)
VECTORS = re.findall(r"^\| ([AB]) \| (\d+) \| `(BX1:[^`]+)` \|$", PAGE, re.MULTILINE)
REFUSED = re.findall(r"^\| `([^`|]+)` \| (?!-)", PAGE.partition("must be refused")[2], re.MULTILINE)
GENERATIONS = st.integers(1, 0xFFFF)


def verified_by_other_libraries(code: str, keys: dict[bytes, VerifyKey]) -> tuple[UUID, UUID, int]:
    """What a code says, by docs/entry-codes.md, PyNaCl and the package base45."""
    raw = base45.b45decode(code.removeprefix("BX1:"))
    assert code.startswith("BX1:") and len(raw) == 103 and raw[0] == 1
    keys[raw[1:5]].verify(raw[:39], raw[39:])
    return UUID(bytes=raw[5:21]), UUID(bytes=raw[21:37]), int.from_bytes(raw[37:39], "big")


def nacl_keys(*seeds: bytes) -> dict[bytes, VerifyKey]:
    found = [SigningKey(seed).verify_key for seed in seeds]
    return {sha256(bytes(key)).digest()[:4]: key for key in found}


@pytest.mark.parametrize(("key", "generation", "code"), VECTORS)
def test_published_vector_is_what_we_write_and_others_read(key: str, generation: str, code: str) -> None:
    expected = EntryCode(EVENT, TICKET, int(generation))

    assert TicketKeys(SEEDS[key]).code_of(EVENT, TICKET, int(generation)) == code
    assert TicketKeys(SEEDS["A"], SEEDS["B"]).read(code) == expected
    assert verified_by_other_libraries(code, nacl_keys(*SEEDS.values())) == (EVENT, TICKET, int(generation))


def test_page_has_the_vectors_and_the_keys() -> None:
    assert (len(VECTORS), len(REFUSED)) == (4, 5)
    for key in TicketKeys(SEEDS["A"], SEEDS["B"]).public_keys():
        assert f"`{key.public_key}`" in PAGE and f"`{key.id}`" in PAGE


@pytest.mark.parametrize("code", REFUSED)
def test_published_code_is_refused_when_the_page_says_so(code: str) -> None:
    with pytest.raises(InvalidEntryCode):
        TicketKeys(SEEDS["A"], SEEDS["B"]).read(code)
    with pytest.raises((AssertionError, ValueError, KeyError, BadSignatureError)):
        verified_by_other_libraries(code, nacl_keys(*SEEDS.values()))


@given(st.uuids(), st.uuids(), GENERATIONS)
def test_code_says_what_it_was_made_of(event: UUID, ticket: UUID, generation: int) -> None:
    keys = TicketKeys(SEEDS["A"])
    code = keys.code_of(event, ticket, generation)

    assert len(code) == 159
    assert keys.read(f"\r\n{code}\n") == EntryCode(event, ticket, generation)
    assert verified_by_other_libraries(code, nacl_keys(SEEDS["A"])) == (event, ticket, generation)


@given(st.integers(0, 102), st.integers(1, 255))
def test_code_is_refused_when_any_byte_is_another(position: int, change: int) -> None:
    keys = TicketKeys(SEEDS["A"], SEEDS["B"])
    raw = bytearray(base45.b45decode(keys.code_of(EVENT, TICKET, 1).removeprefix(PREFIX)))
    raw[position] ^= change

    with pytest.raises(InvalidEntryCode):
        keys.read(PREFIX + base45.b45encode(bytes(raw)).decode())


@given(st.one_of(st.text(), st.text().map(PREFIX.__add__), st.binary().map(lambda raw: PREFIX + repr(raw))))
def test_text_is_refused_when_it_is_no_code(text: str) -> None:
    with pytest.raises(InvalidEntryCode):
        TicketKeys(SEEDS["A"]).read(text)


def test_code_is_refused_when_it_is_made_from_public_ids_with_another_key() -> None:
    ours, forger = TicketKeys(token_bytes(32)), TicketKeys(token_bytes(32))
    [public] = ours.public_keys()
    raw = bytearray(base45.b45decode(forger.code_of(EVENT, TICKET, 1).removeprefix(PREFIX)))
    raw[1:5] = bytes.fromhex(public.id)

    assert ours.read(ours.code_of(EVENT, TICKET, 1)).ticket_id == TICKET
    with pytest.raises(InvalidEntryCode):
        ours.read(forger.code_of(EVENT, TICKET, 1))
    with pytest.raises(InvalidEntryCode):
        ours.read(PREFIX + base45.b45encode(bytes(raw)).decode())


def test_codes_of_the_previous_key_are_good_until_it_is_removed() -> None:
    old, new = token_bytes(32), token_bytes(32)
    code = TicketKeys(old).code_of(EVENT, TICKET, 3)
    rolled = TicketKeys(new, old)

    assert rolled.read(code) == EntryCode(EVENT, TICKET, 3)
    assert TicketKeys(new).read(rolled.code_of(EVENT, TICKET, 3)) == EntryCode(EVENT, TICKET, 3)
    assert len(rolled.public_keys()) == 2
    with pytest.raises(InvalidEntryCode):
        TicketKeys(new).read(code)


def test_document_secret_ends_with_the_generation_and_needs_the_key() -> None:
    old, new = token_bytes(32), token_bytes(32)
    keys = TicketKeys(new, old)
    secret = keys.document_secret(TICKET, 1)

    assert ticket_named_by(secret) == TICKET
    assert keys.has_document_secret(secret, TICKET, 1)
    assert keys.has_document_secret(TicketKeys(old).document_secret(TICKET, 1), TICKET, 1)
    assert not keys.has_document_secret(secret, TICKET, 2)
    assert not keys.has_document_secret(secret, uuid4(), 1)
    assert not keys.has_document_secret(TicketKeys(token_bytes(32)).document_secret(TICKET, 1), TICKET, 1)


@given(st.text())
def test_document_secret_is_refused_when_it_is_misshapen(text: str) -> None:
    assert ticket_named_by(text) is None
    assert not TicketKeys(SEEDS["A"]).has_document_secret(text, TICKET, 1)
