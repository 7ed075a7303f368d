"""The opening handshake: requests that become a WebSocket, and those that do not."""

from __future__ import annotations

import pytest

from transport.websocket.handshake import HandshakeRejected, read_opening

GOOD = {
    b"host": b"boxoffice.test",
    b"upgrade": b"WebSocket",
    b"connection": b"keep-alive, Upgrade",
    b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
    b"sec-websocket-version": b"13",
    b"sec-websocket-protocol": b"graphql-transport-ws, other",
}


def request(line: bytes = b"GET /graphql?a=b HTTP/1.1", **changes: bytes | None) -> bytes:
    """A valid request, changed; None leaves a header out."""
    named = {name.replace("_", "-").encode(): value for name, value in changes.items()}
    headers = {name: value for name, value in (GOOD | named).items() if value is not None}
    return b"\r\n".join([line, *(name + b": " + value for name, value in headers.items())])


def test_request_is_answered_as_the_standard_says_when_it_is_valid() -> None:
    opening = read_opening(request())

    response = opening.response("graphql-transport-ws", [(b"x-more", b"1")])

    assert (opening.path, opening.query_string) == (b"/graphql", b"a=b")
    assert opening.subprotocols == ["graphql-transport-ws", "other"]
    assert response.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    # Python's gql looks the names up in the case in which the standard writes them.
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in response  # RFC 6455, section 1.3
    assert response.endswith(b"Sec-WebSocket-Protocol: graphql-transport-ws\r\nx-more: 1\r\n\r\n")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request(b"POST / HTTP/1.1"), b"400"),
        (request(b"GET / HTTP/1.0"), b"400"),
        (request(host=None), b"400"),
        (request(sec_websocket_key=None), b"400"),
        (request(sec_websocket_key=b"short"), b"400"),
        (request(sec_websocket_key=b"c2hvcnQ="), b"400"),
        (request(upgrade=b"h2c"), b"426"),
        (request(connection=b"close"), b"426"),
        (request(sec_websocket_version=b"8"), b"426"),
        (request(sec_websocket_version=None), b"426"),
    ],
)
def test_request_is_refused_when_it_cannot_become_a_socket(raw: bytes, status: bytes) -> None:
    with pytest.raises(HandshakeRejected) as refused:
        read_opening(raw)

    assert refused.value.response.startswith(b"HTTP/1.1 " + status)
