"""A parsed API call: parameters, credentials, idempotency key."""

import base64
import binascii
from dataclasses import dataclass

from starlette.requests import Request

from devservices.stripe.documents import Document, token
from devservices.stripe.errors import ApiError
from devservices.stripe.forms import LARGEST_BODY, Params, nested

CREDENTIALS = ("key", "client_secret")  # a browser sends them among the parameters


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API."""

    method: str
    path: str
    params: Document
    request_id: str
    idempotency_key: str | None
    from_browser: bool
    client_secret: str | None

    def parameters(self) -> Params:
        kept = {name: value for name, value in self.params.items() if name not in CREDENTIALS}
        return Params(kept, strict=not self.from_browser)


def request_id() -> str:
    return f"req_{token(14)}"


async def read(request: Request, identity: str, api_key: str | None) -> Call:
    """Raises ApiError: 401 without a valid key, 400 for a body that is not a form, 413 if it is too large."""
    params = nested(request.url.query)
    if request.method == "POST":
        params |= nested(await _body(request))
    presented = _presented(request, params)
    secret = params.get("client_secret")
    return Call(
        request.method,
        request.url.path,
        params,
        identity,
        request.headers.get("idempotency-key") if request.method == "POST" else None,
        _is_browser(presented, api_key),
        secret if isinstance(secret, str) else None,
    )


async def _body(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise ApiError(413, "The request is too large.")
    try:
        return body.decode()
    except UnicodeDecodeError as fault:
        raise ApiError(400, "Invalid request body: not UTF-8.") from fault


def _presented(request: Request, params: Document) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    key = params.get("key")
    return key if isinstance(key, str) else ""


def _is_browser(presented: str, api_key: str | None) -> bool:
    if not presented:
        sentence = (
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
        raise ApiError(401, sentence)
    if presented.startswith("pk_test_"):
        return True
    if presented != api_key if api_key else not presented.startswith(("sk_test_", "rk_test_")):
        hidden = f"{presented[:8]}{'*' * 8}{presented[-4:]}" if len(presented) > 16 else "****"
        raise ApiError(401, f"Invalid API Key provided: {hidden}")
    return False
