"""Tokens: who a bearer is, and everything that is no token."""

import hmac
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.errors import Unauthenticated, Unavailable
from domain.ids import user_id_of
from domain.viewer import GUEST_SUBJECT, Scope, Viewer
from kit.clock import utc_now
from services.identity.tokens import IssuerTokens, IssuerTokensAndGuests, SecretTokens

SECRET = "a secret of the tests, long enough to be one"
VIEWER = Viewer(user_id_of("user-1"), "user-1", "a@example.org", "Ada", frozenset({"buy", "organise"}))
ISSUER, AUDIENCE = "https://issuer.example", "boxoffice"


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, changed; None leaves one out."""
    good = {"sub": "user-1", "exp": int(time.time()) + 3_600, "scope": "buy"}
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(**changes: Any) -> str:
    return jwt.encode(claims(**changes), SECRET, algorithm="HS256")


async def test_a_minted_token_speaks_for_its_viewer() -> None:
    tokens = SecretTokens(SECRET)

    assert await tokens.verify(tokens.mint(VIEWER, utc_now() + timedelta(minutes=1))) == VIEWER


async def test_a_token_made_elsewhere_with_the_secret_is_good() -> None:
    viewer = await SecretTokens(SECRET).verify(signed(email="b@example.org", name="Bo"))

    assert (viewer.subject, viewer.email, viewer.name) == ("user-1", "b@example.org", "Bo")
    assert viewer.scopes == {"buy"}


async def test_a_token_of_the_previous_secret_is_good_and_none_of_another() -> None:
    rolling = SecretTokens("the secret that signs from now on, a long one", previous=SECRET)

    assert (await rolling.verify(signed())).subject == "user-1"
    minted = rolling.mint(VIEWER, utc_now() + timedelta(minutes=1))
    assert await rolling.verify(minted) == VIEWER
    with pytest.raises(Unauthenticated):
        await SecretTokens(SECRET).verify(minted)
    with pytest.raises(Unauthenticated, match="not valid"):
        await rolling.verify(jwt.encode(claims(), SECRET + "!", algorithm="HS256"))
    with pytest.raises(Unauthenticated, match="has expired"):
        await rolling.verify(signed(exp=int(time.time()) - 60))


async def test_a_token_without_scope_may_buy_and_one_with_an_empty_scope_nothing() -> None:
    tokens = SecretTokens(SECRET)

    assert (await tokens.verify(signed(scope=None))).scopes == {"buy"}
    assert (await tokens.verify(signed(scope=""))).scopes == frozenset()


@pytest.mark.parametrize(
    ("claim", "verified"), [(None, True), (True, True), ("yes", True), (False, False), ("false", False)]
)
async def test_our_own_address_is_verified_unless_the_token_denies_it(
    claim: object, *, verified: bool
) -> None:
    tokens = SecretTokens(SECRET)
    viewer = await tokens.verify(signed(email="b@example.org", email_verified=claim))
    again = await tokens.verify(tokens.mint(viewer, utc_now() + timedelta(minutes=1)))

    assert (viewer.email_verified, again.email_verified) == (verified, verified)


async def test_a_clock_half_a_minute_off_is_forgiven() -> None:
    assert await SecretTokens(SECRET).verify(signed(exp=int(time.time()) - 20))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        "é.ü.ö",
        "x" * 9_000,
        signed(exp=int(time.time()) - 60),
        signed(exp=None),
        signed(sub=None),
        signed(sub=""),
        signed(sub="x" * 256),
        signed(sub="a\x00b"),
        signed(exp="soon"),
        signed(email=7),
        signed(scope=7),
        signed(scope=[1]),
        signed(nbf=int(time.time()) + 600),
        signed()[:-2],
        jwt.encode(claims(), "another secret of the tests, long enough", algorithm="HS256"),
        jwt.encode(claims(), SECRET + SECRET, algorithm="HS512"),
        pytest.param(jwt.encode(claims(), "", algorithm="none"), id="unsigned"),
    ],
)
async def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await SecretTokens(SECRET).verify(token)


async def test_a_token_that_was_good_expires_all_the_same() -> None:
    tokens = SecretTokens(SECRET)
    token = signed(exp=int(time.time()) - 29)
    await tokens.verify(token)

    deadline = time.monotonic() + 5
    with pytest.raises(Unauthenticated):
        while time.monotonic() < deadline:
            await tokens.verify(token)


class Issuer:
    """An issuer of tokens that publishes its keys, and may be away."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.away = False
        self.asked = 0
        self.rotate("one")

    def rotate(self, key_id: str) -> None:
        """Sign with another key from now on, and publish only that."""
        self.key_id = key_id
        self.key = ec.generate_private_key(ec.SECP256R1())
        published = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.keys = {"keys": [published | {"kid": key_id, "use": "sig", "alg": "ES256"}]}

    async def fetch(self) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            raise httpx.ConnectError("away")
        return self.keys

    def sign(self, algorithm: str = "ES256", key: Any = None, **changes: Any) -> str:
        given = claims(**({"iss": ISSUER, "aud": AUDIENCE} | changes))
        return jwt.encode(given, key or self.key, algorithm=algorithm, headers={"kid": self.key_id})


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def tokens(issuer: Issuer) -> IssuerTokens:
    return IssuerTokens(issuer.fetch, ISSUER, AUDIENCE)


async def test_an_issuers_token_is_good_and_its_keys_are_read_once(
    issuer: Issuer, tokens: IssuerTokens
) -> None:
    for number in range(3):
        assert (await tokens.verify(issuer.sign(name=f"N{number}"))).subject == "user-1"

    assert issuer.asked == 1


@pytest.mark.parametrize(
    ("claim", "verified"), [(None, False), (True, True), ("true", False), (False, False)]
)
async def test_an_issuers_address_is_verified_when_the_issuer_says_so(
    issuer: Issuer, tokens: IssuerTokens, claim: object, *, verified: bool
) -> None:
    viewer = await tokens.verify(issuer.sign(email="b@example.org", email_verified=claim))

    assert viewer.email_verified is verified


async def test_keys_are_read_again_when_the_issuer_has_rotated_them(
    issuer: Issuer, tokens: IssuerTokens
) -> None:
    await tokens.verify(issuer.sign())
    issuer.rotate("two")
    tokens._read_at -= 11

    assert await tokens.verify(issuer.sign())


async def test_unknown_keys_do_not_make_us_ask_again_and_again(issuer: Issuer, tokens: IssuerTokens) -> None:
    await tokens.verify(issuer.sign())
    stranger = Issuer()
    stranger.rotate("three")

    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await tokens.verify(stranger.sign())

    assert issuer.asked == 1


async def test_known_keys_go_on_while_the_issuer_is_away(issuer: Issuer, tokens: IssuerTokens) -> None:
    await tokens.verify(issuer.sign())
    issuer.away = True
    tokens._read_at -= 3600

    assert await tokens.verify(issuer.sign(name="Later"))


async def test_tokens_cannot_be_judged_when_the_issuer_was_never_heard(
    issuer: Issuer, tokens: IssuerTokens
) -> None:
    issuer.away = True

    with pytest.raises(Unavailable):
        await tokens.verify(issuer.sign())


async def test_another_issuer_audience_or_algorithm_is_refused(issuer: Issuer, tokens: IssuerTokens) -> None:
    other_curve = ec.generate_private_key(ec.SECP256R1())
    other_kind = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for token in (
        issuer.sign(iss="https://other.example"),
        issuer.sign(aud="another"),
        issuer.sign(aud=None),
        issuer.sign("ES256", other_curve),
        issuer.sign("RS256", other_kind),
        issuer.sign("HS256", "a shared secret that nobody has agreed on"),
    ):
        with pytest.raises(Unauthenticated):
            await tokens.verify(token)


async def test_the_published_key_is_refused_when_it_is_used_as_a_shared_secret(
    issuer: Issuer, tokens: IssuerTokens
) -> None:
    public = issuer.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, der, pem.strip()):
        # By hand: the library does not sign with such a secret.
        head, body, _ = issuer.sign("HS256", "any secret that is long enough for it").split(".")
        digest = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
        forged = f"{head}.{body}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"
        with pytest.raises(Unauthenticated):
            await tokens.verify(forged)


GUEST = Viewer(UUID(int=7), f"{GUEST_SUBJECT}7", "gil@example.com", "Gil", frozenset({Scope.BUY.value}))
KEY_OF_WEBHOOKS = "whsec_of the tests, with enough characters"


async def test_guests_are_known_beside_an_issuer_and_after_a_rolled_secret(
    issuer: Issuer, tokens: IssuerTokens
) -> None:
    ours = IssuerTokensAndGuests(tokens, KEY_OF_WEBHOOKS)
    token = ours.mint(GUEST, utc_now() + timedelta(hours=1))

    assert (await ours.verify(token)).subject == GUEST.subject
    assert (await ours.verify(issuer.sign())).subject == "user-1"
    rolled = IssuerTokensAndGuests(tokens, "another secret that is long enough", previous=KEY_OF_WEBHOOKS)
    assert (await rolled.verify(token)).subject == GUEST.subject
    with pytest.raises(Unauthenticated):
        await IssuerTokensAndGuests(tokens, "another secret that is long enough").verify(token)


@pytest.mark.parametrize(
    "viewer", [replace(GUEST, subject="ann"), replace(GUEST, scopes=frozenset({"organise"}))]
)
async def test_nobody_but_a_guest_has_a_token_of_ours_beside_an_issuer(
    tokens: IssuerTokens, viewer: Viewer
) -> None:
    ours = IssuerTokensAndGuests(tokens, KEY_OF_WEBHOOKS)
    with pytest.raises(Unauthenticated):
        await ours.verify(ours.mint(viewer, utc_now() + timedelta(hours=1)))


@pytest.mark.parametrize(
    "changes", [{}, {"iss": "boxoffice"}, {"iss": "boxoffice", "sub": f"{GUEST_SUBJECT}7"}]
)
async def test_the_secret_itself_signs_no_guest_beside_an_issuer(
    issuer: Issuer, tokens: IssuerTokens, changes: dict[str, str]
) -> None:
    ours = IssuerTokensAndGuests(tokens, KEY_OF_WEBHOOKS)
    with pytest.raises(Unauthenticated):
        await ours.verify(issuer.sign("HS256", KEY_OF_WEBHOOKS, **changes))
