"""The keys of an installation's tickets: they sign entry codes, and make the secrets of documents.

A secret is the ticket's id and a MAC over the id and the generation, so none is stored, nobody without the
key can make one, and it ends with the generation.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.entry_codes import EntryCode, entry_code, key_id_of, read_entry_code
from kit.seeds import seed_of

_MAC_BYTES = 20
_SECRET_BYTES = 16 + _MAC_BYTES


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key as door devices get it: its id in hex, and the raw key in base64url."""

    id: str
    public_key: str


class TicketKeys:
    """The key that signs now, and one that is being retired, whose codes and documents are still good."""

    def __init__(self, seed: bytes, previous: bytes | None = None) -> None:
        seeds = [seed] if previous is None else [seed, previous]
        self._signing = Ed25519PrivateKey.from_private_bytes(seed)
        keys = [Ed25519PrivateKey.from_private_bytes(each).public_key() for each in seeds]
        self._public = {key_id_of(key): key for key in keys}
        self._signing_id = key_id_of(keys[0])
        self._document_keys = [_derived(each, b"boxoffice ticket documents") for each in seeds]

    @classmethod
    def parse(cls, seed: str, previous: str = "") -> "TicketKeys":
        """The keys of two settings; an empty `previous` is none. Raises ValueError as `seed_of` does."""
        return cls(seed_of(seed), seed_of(previous) if previous else None)

    def code_of(self, event_id: UUID, ticket_id: UUID, generation: int) -> str:
        """The entry code of one generation of a ticket."""
        return entry_code(self._signing, self._signing_id, EntryCode(event_id, ticket_id, generation))

    def read(self, code: str) -> EntryCode:
        """What a code says, whichever of the keys signed it. Raises InvalidEntryCode."""
        return read_entry_code(code, self._public)

    def public_keys(self) -> list[VerificationKey]:
        """What a door checks codes with, the key that signs now first."""
        return [VerificationKey(key_id.hex(), _raw_text(key)) for key_id, key in self._public.items()]

    def document_secret(self, ticket_id: UUID, generation: int) -> str:
        """The secret in the addresses of a ticket's documents: 48 characters of base64url."""
        mac = _mac(self._document_keys[0], ticket_id, generation)
        return urlsafe_b64encode(ticket_id.bytes + mac).decode()

    def has_document_secret(self, secret: str, ticket_id: UUID, generation: int) -> bool:
        """Whether a secret is that of this generation of the ticket, by either key."""
        given = _secret_bytes(secret)
        if given is None:
            return False
        macs = [_mac(key, ticket_id, generation) for key in self._document_keys]
        return any(hmac.compare_digest(given, ticket_id.bytes + mac) for mac in macs)


def ticket_named_by(secret: str) -> UUID | None:
    """The ticket that a document's secret claims to be of; None where it is misshapen."""
    given = _secret_bytes(secret)
    return None if given is None else UUID(bytes=given[:16])


def _secret_bytes(secret: str) -> bytes | None:
    # The alphabet is checked by writing it again: Python's decoder skips strange characters.
    try:
        raw = urlsafe_b64decode(secret)
    except ValueError:
        return None
    fits = len(raw) == _SECRET_BYTES and urlsafe_b64encode(raw).decode() == secret
    return raw if fits else None


def _mac(key: bytes, ticket_id: UUID, generation: int) -> bytes:
    return hmac.digest(key, ticket_id.bytes + generation.to_bytes(2, "big"), "sha256")[:_MAC_BYTES]


def _derived(seed: bytes, purpose: bytes) -> bytes:
    return hmac.digest(seed, purpose, "sha256")


def _raw_text(key: Ed25519PublicKey) -> str:
    return urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("=")
