"""The trust of an installation: origins of pages, proxies, and documents that it executes."""

import contextlib
import json
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from endpoints.pages import WEB_ROOT
from settings import SettingsError
from transport import ConnectionInfo, manifest_of


def trusted_documents(manifest: str) -> dict[str, str]:
    """Return the documents of a manifest (JSON, or Apollo's) and of the pages; none without one.

    Raises:
        SettingsError: it cannot be read, or a document does not have the hash that it is named by.
    """
    if not manifest:
        return {}
    try:
        found = manifest_of(json.loads(Path(manifest).read_text()))
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as fault:
        raise SettingsError(
            f"BOXOFFICE_TRUSTED_DOCUMENTS: {manifest} is no manifest of documents ({fault})."
        ) from fault
    return found | manifest_of(path.read_text() for path in (WEB_ROOT / "operations").glob("*.graphql"))


def from_allowed_origin(origins: frozenset[str]) -> Callable[[ConnectionInfo], bool]:
    """Return a check of origins that may open a WebSocket: the own one and the named ones; * is any."""

    def is_allowed(info: ConnectionInfo) -> bool:
        origin = info.headers.get("origin")
        if origin is None or "*" in origins or origin in origins:
            return True
        return urlsplit(origin).netloc == info.headers.get("host")

    return is_allowed


def in_both_forms(trusted_proxies: str) -> str:
    """Add the IPv4-mapped form of every IPv4 network: a socket that listens on `::` sees IPv4 peers so.

    Without it such a proxy's X-Forwarded-For is not believed, and everybody behind it is one network.
    """
    named = [each.strip() for each in trusted_proxies.split(",")]
    return ", ".join([*named, *filter(None, map(_mapped, named))])


def _mapped(network: str) -> str:
    try:
        parsed = ip_network(network)
    except ValueError:
        return ""
    return f"::ffff:{parsed.network_address}/{96 + parsed.prefixlen}" if parsed.version == 4 else ""


def client_behind(trusted_proxies: str) -> Callable[[str, list[tuple[bytes, bytes]]], str]:
    """Return the client's address from X-Forwarded-For of trusted proxies, as uvicorn computes it."""

    async def nothing(*_: Any) -> None:
        """Receive the call of uvicorn's middleware, whose scope has the address."""

    middleware: Any = ProxyHeadersMiddleware(nothing, in_both_forms(trusted_proxies))

    def client_of(address: str, headers: list[tuple[bytes, bytes]]) -> str:
        scope = {"type": "http", "client": (address, 0), "headers": headers}
        reading = middleware(scope, nothing, nothing)
        with contextlib.suppress(StopIteration):
            reading.send(None)  # it never waits
        reading.close()
        return str(scope["client"][0])

    return client_of
