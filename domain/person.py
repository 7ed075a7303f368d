"""A person as limits count them, however many sessions, orders and accounts of a guest they have.

A person is kept as a key that is derived from their account or their address, so that no address stands in
Redis or in an index. The derivation must not change: stored orders have the keys.
"""

import contextlib
from dataclasses import dataclass
from unicodedata import normalize
from uuid import UUID, uuid5

import idna

from domain.viewer import Viewer

_PERSONS = UUID("0d7bd2a5-59f0-5c9d-8a35-0f6c7a0f5a18")


@dataclass(frozen=True, slots=True)
class Person:
    """A buyer as limits count them."""

    key: UUID
    """Of the account of a signed-in user; of the address of a guest"""
    address_key: UUID | None = None
    """Of a signed-in user's verified address: guests of that address are the same person"""
    is_guest: bool = False


def person_of(viewer: Viewer) -> Person:
    """The person that a viewer is.

    Two signed-in users with one address are two persons; all guests of one address are one person.
    """
    if viewer.is_guest and viewer.email:
        return Person(address_key_of(viewer.email), is_guest=True)
    verified = viewer.email if viewer.email_verified else None
    return Person(account_key_of(viewer.user_id), address_key_of(verified) if verified else None)


def account_key_of(user_id: UUID) -> UUID:
    """The person's key of a signed-in user."""
    return uuid5(_PERSONS, f"user:{user_id}")


def address_key_of(email: str) -> UUID:
    """The person's key of a guest's address, the same for every form of it."""
    return uuid5(_PERSONS, f"mail:{normal_address(email)}")


def normal_address(email: str) -> str:
    """An e-mail address in lower case and without a `+tag`, one text for every way to write one mailbox.

    Letters beyond ASCII are composed (NFKC), and a host's are as in the DNS (UTS 46): `münchen.example` and
    `xn--mnchen-3ya.example` are one host.
    """
    plain = email.strip().lower()
    if plain.isascii():
        name, at, host = plain.rpartition("@")
    else:
        name, at, host = normalize("NFKC", plain).lower().rpartition("@")
        with contextlib.suppress(idna.IDNAError):
            host = idna.encode(host, uts46=True).decode()
    return f"{name.partition('+')[0] or name}{at}{host}"
