"""Persons as limits count them: accounts, guests' addresses, and when the two are one."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.ids import user_id_of
from domain.person import address_key_of, normal_address, person_of
from domain.viewer import Viewer

ADA = Viewer(user_id_of("ada"), "ada", "Ada+news@Example.org", "Ada", frozenset({"buy"}))


def guest(email: str) -> Viewer:
    subject = f"guest:{uuid4()}"
    return Viewer(user_id_of(subject), subject, email, None, frozenset({"buy"}))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ada@example.org", "ada@example.org"),
        (" ADA@Example.ORG ", "ada@example.org"),
        ("ada+tickets@example.org", "ada@example.org"),
        ("ada+a+b@example.org", "ada@example.org"),
        ("+ada@example.org", "+ada@example.org"),
        ("a.da@example.org", "a.da@example.org"),
        ("ada@MÜNCHEN.example", "ada@xn--mnchen-3ya.example"),
        ("ada@mu\u0308nchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@xn--mnchen-3ya.example", "ada@xn--mnchen-3ya.example"),
        ("\uff41\uff44\uff41\uff0b1@example.org", "ada@example.org"),
        ("zoe\u0308@example.org", "zo\u00eb@example.org"),
        ("ada@-\u00fc-.example", "ada@-\u00fc-.example"),
    ],
)
def test_address_is_normal_when_case_and_tag_are_gone(written: str, normal: str) -> None:
    assert normal_address(written) == normal


def test_guests_are_one_person_when_their_addresses_differ_in_tag_and_case() -> None:
    one, other = person_of(guest("ada@example.org")), person_of(guest("ADA+2@example.org"))

    assert one == other
    assert one.is_guest


def test_user_counts_with_guests_when_the_address_is_verified() -> None:
    assert person_of(ADA).address_key == person_of(guest("ada@example.org")).key


def test_user_counts_alone_when_the_address_is_not_verified() -> None:
    person = person_of(replace(ADA, email_verified=False))

    assert (person.key, person.address_key) == (person_of(ADA).key, None)


def test_users_are_two_persons_when_they_have_one_address() -> None:
    other = Viewer(user_id_of("bob"), "bob", ADA.email, "Bob", ADA.scopes)

    assert person_of(other).key != person_of(ADA).key


def test_key_stays_the_same_when_the_code_changes() -> None:
    """Stored orders have the keys, so their derivation may not change."""
    assert str(address_key_of("ada@example.org")) == "ed7ad902-190b-5744-9d85-1c1ed38669f2"
