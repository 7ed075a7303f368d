"""Bearer tokens, signed with a shared secret or by an issuer that publishes its keys.

The algorithms are fixed by the installation, never by the token (RFC 8725, section 3.1).
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx
import jwt

from domain.errors import InvalidInput, Unauthenticated, Unavailable
from domain.hidden_characters import without_hidden_characters
from domain.ids import user_id_of
from domain.text_input import line, optional_line
from domain.viewer import GUEST_SUBJECT, Scope, Viewer
from kit.cache import Cache

LEEWAY_SECONDS = 30
GUESTS_ISSUER = "boxoffice"
_LONGEST_TOKEN = 8_192
_EXPIRED = "The token has expired."
_MAX_VERIFIED = 4_096
_KEYS_MAX_AGE_SECONDS = 600.0
_KEYS_MIN_AGE_SECONDS = 10.0
_ASYMMETRIC = frozenset("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA".split())


class Tokens(Protocol):
    """Verifies tokens, and signs some."""

    async def verify(self, token: str) -> Viewer:
        """Return the viewer of a token.

        Raises:
            Unauthenticated: The token is malformed, expired or badly signed.
            Unavailable: The issuer's keys cannot be read.
        """

    def known(self, token: str) -> Viewer | None:
        """Return the viewer of a token that this process has verified and that has not expired."""

    def mint(self, viewer: Viewer, expires_at: datetime) -> str:
        """Sign a token for a viewer."""


class SecretTokens:
    """Tokens signed with HS256 and one shared secret; those of the previous secret are accepted too.

    With an `issuer`, only tokens that name it are accepted.
    """

    def __init__(self, secret: str, *, previous: str = "", issuer: str = "") -> None:
        self._secret = secret
        self._previous = previous
        self._expected = {"issuer": issuer} if issuer else {}
        self._known = _VerifiedTokens()

    def known(self, token: str) -> Viewer | None:
        """See `Tokens.known`."""
        return self._known.get(token)

    async def verify(self, token: str) -> Viewer:
        """See `Tokens.verify`."""
        viewer = self._known.get(token)
        if viewer is None:
            claims = self._decoded(token)
            viewer = _viewer(claims, verified=_is_not_denied(claims.get("email_verified")))
            self._known.keep(token, viewer, float(claims["exp"]))
        return viewer

    def mint(self, viewer: Viewer, expires_at: datetime) -> str:
        """See `Tokens.mint`."""
        claims: dict[str, Any] = {
            "sub": viewer.subject,
            "scope": " ".join(sorted(viewer.scopes)),
            "iat": int(datetime.now(UTC).timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        claims |= {name: value for name in ("email", "name") if (value := getattr(viewer, name))}
        if not viewer.email_verified:
            claims["email_verified"] = False
        if self._expected:
            claims["iss"] = self._expected["issuer"]
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def _decoded(self, token: str) -> dict[str, Any]:
        try:
            return _decoded(token, self._secret, ["HS256"], **self._expected)
        except Unauthenticated as error:
            if not self._previous:
                raise
            try:
                return _decoded(token, self._previous, ["HS256"], **self._expected)
            except Unauthenticated as older:
                # The error of an expired token says so, whichever of the two keys has signed it.
                raise (older if older.message == _EXPIRED else error) from None


FetchKeys = Callable[[], Awaitable[dict[str, Any]]]


class IssuerTokens:
    """Tokens with asymmetric signatures of an issuer that publishes its keys as a JWK set (RFC 7517).

    Keys are kept for ten minutes. A token with an unknown key makes them be read again, at most every ten
    seconds. While the issuer does not answer, the last known keys stay valid.
    """

    def __init__(self, fetch_keys: FetchKeys, issuer: str, audience: str) -> None:
        self._fetch_keys = fetch_keys
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._known = _VerifiedTokens()

    def known(self, token: str) -> Viewer | None:
        """See `Tokens.known`."""
        return self._known.get(token)

    async def verify(self, token: str) -> Viewer:
        """See `Tokens.verify`."""
        viewer = self._known.get(token)
        if viewer is not None:
            return viewer
        key = await self._key(_key_id(token))
        claims = _decoded(
            token, key.key, [str(key.algorithm_name)], issuer=self._issuer, audience=self._audience
        )
        viewer = _viewer(claims, verified=claims.get("email_verified") is True)
        # A key that the issuer withdraws must become invalid soon after.
        latest = time.time() + _KEYS_MAX_AGE_SECONDS
        self._known.keep(token, viewer, min(float(claims["exp"]), latest))
        return viewer

    async def _key(self, key_id: str | None) -> jwt.PyJWK:
        if self._age() > _KEYS_MAX_AGE_SECONDS or self._find(key_id) is None:
            async with self._reading:
                if self._age() > _KEYS_MIN_AGE_SECONDS:
                    await self._read_keys()
        key = self._find(key_id)
        if key is None:
            raise Unauthenticated("The token is signed with a key that is not known.")
        return key

    def _age(self) -> float:
        return time.monotonic() - self._read_at

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    async def _read_keys(self) -> None:
        try:
            keys = _signing_keys(await self._fetch_keys())
        except (httpx.HTTPError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            if not self._keys:
                raise Unavailable("The issuer of tokens is away for a moment; please try again.") from error
            keys = self._keys
        self._keys = keys
        self._read_at = time.monotonic()


class IssuerTokensAndGuests:
    """The tokens of an issuer, and beside them those of guests, which this installation signs itself.

    A token of ours is a guest's and no other's, whatever it says: the key that signs it is derived from a
    secret that has another purpose.
    """

    def __init__(self, issuer: IssuerTokens, secret: str, *, previous: str = "") -> None:
        self._issuer = issuer
        earlier = _guests_key(previous) if previous else ""
        self._guests = SecretTokens(_guests_key(secret), previous=earlier, issuer=GUESTS_ISSUER)

    def known(self, token: str) -> Viewer | None:
        """See `Tokens.known`."""
        return self._issuer.known(token) or self._guests.known(token)

    async def verify(self, token: str) -> Viewer:
        """See `Tokens.verify`."""
        if _header(token).get("alg") != "HS256":  # which no issuer's token may have
            return await self._issuer.verify(token)
        viewer = await self._guests.verify(token)
        if not viewer.subject.startswith(GUEST_SUBJECT) or viewer.scopes != {Scope.BUY.value}:
            raise Unauthenticated("The token is not valid.")
        return viewer

    def mint(self, viewer: Viewer, expires_at: datetime) -> str:
        """See `Tokens.mint`."""
        return self._guests.mint(viewer, expires_at)


def _guests_key(secret: str) -> str:
    return hmac.digest(secret.encode(), b"boxoffice: tokens of guests", "sha256").hex()


def keys_at(url: str, *, timeout_seconds: float = 3.0) -> FetchKeys:
    """Return a function that reads the JWK set at an address."""

    async def fetch() -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=timeout_seconds) as client:
            response = await client.get(url)
            response.raise_for_status()
            document: dict[str, Any] = response.json()
            return document

    return fetch


class _VerifiedTokens:
    """The viewers of verified tokens, by the token's digest, until they expire."""

    def __init__(self) -> None:
        self._viewers: Cache[bytes, Viewer] = Cache(max_entries=_MAX_VERIFIED)

    def get(self, token: str) -> Viewer | None:
        return self._viewers.get(_digest(token))

    def keep(self, token: str, viewer: Viewer, until: float) -> None:
        self._viewers.put(_digest(token), viewer, ttl_seconds=until - time.time())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _decoded(token: str, key: Any, algorithms: list[str], **expected: str) -> dict[str, Any]:
    if len(token) > _LONGEST_TOKEN:
        raise Unauthenticated("The token is too long.")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "sub"], "verify_aud": "audience" in expected},
            **expected,  # type: ignore[arg-type]
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated(_EXPIRED) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise Unauthenticated("The token is not valid.") from None
    return claims


def _header(token: str) -> dict[str, Any]:
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("The token is not valid.") from None
    return header


def _key_id(token: str) -> str | None:
    key_id = _header(token).get("kid")
    return key_id if isinstance(key_id, str) else None


def _signing_keys(document: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    keys: dict[str, jwt.PyJWK] = {}
    for number, entry in enumerate(document["keys"]):
        if entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(entry)
        except jwt.PyJWTError:
            continue
        if key.algorithm_name in _ASYMMETRIC:
            keys[key.key_id or f"#{number}"] = key
    return keys


def _viewer(claims: dict[str, Any], *, verified: bool) -> Viewer:
    """Return the viewer that a token's claims describe."""
    try:
        subject = line(_text(claims["sub"]), "sub", most=255)
        email = optional_line(_text(claims.get("email")), "email", most=254)
        # An issuer's user cannot change what the token says: the name is shown without what nobody sees.
        name = optional_line(without_hidden_characters(_text(claims.get("name"))), "name")
        client_id = optional_line(_text(claims.get("client_id") or claims.get("azp")), "client_id", most=255)
    except InvalidInput as error:
        raise Unauthenticated(f"The token is not valid: {error.message}") from None
    expires_at = _end(float(claims["exp"]))
    return Viewer(user_id_of(subject), subject, email, name, _scopes(claims), client_id, expires_at, verified)


def _is_not_denied(verified: object) -> bool:
    """Whether a claim of our own tokens leaves an address verified: it is, unless the claim denies it."""
    return verified not in (False, "false")


def _end(expires_at: float) -> float:
    """Return the end of a token's validity; a token accepted within the leeway is valid until its end."""
    return expires_at if expires_at > time.time() else expires_at + LEEWAY_SECONDS


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Return the scopes, a list or words separated by spaces; a token without any may buy."""
    scope = claims.get("scope", Scope.BUY.value)
    words = scope.split() if isinstance(scope, str) else scope
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Unauthenticated("The token is not valid: scope must be words separated by spaces.")
    return frozenset(words)


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unauthenticated("The token is not valid: sub, email and name must be text.")
    return value
