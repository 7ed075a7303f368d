"""HTTP/1.1 on uvicorn as RFC 9110 and 9112 require it, where uvicorn's own protocol is lenient.

Heads are checked and bounded, offers of protocols that are not spoken here are ignored, what is no HTTP is
refused with a code, and trailers are no headers.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, ClassVar

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from transport.protocol.raw import STATUS_LINES, RawResponse

from .request_heads import MOST_HEAD_BYTES, error_response, fault_of, is_too_large, without_upgrade

logger = logging.getLogger(__name__)

MALFORMED = error_response(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "This is no HTTP/1.1 request.")
HEAD_TOO_LARGE = error_response(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "HEAD_TOO_LARGE",
    f"Address and headers are longer than {MOST_HEAD_BYTES} bytes.",
)
MOST_CHUNKING = 2
"""The ratio of sent bytes to body bytes that is allowed: chunks of five bytes double them."""
MOST_AT_ONCE = 64
"""The most requests in one piece of data; all of them are read within one turn of the event loop."""


class TooManyAtOnceError(Exception):
    """More requests in one piece than a client has reason to send."""


class RejectedHeadError(Exception):
    """A request's head was answered with an error; nothing more is read."""


OF_THE_CLIENT = (HttpParserError, RejectedHeadError, TooManyAtOnceError)


class StrictHttpProtocol(HttpToolsProtocol):
    """One connection; subclasses handle requests in `on_head`, `on_piece_of_body` and `on_end`."""

    _common: ClassVar[tuple[Any, bytes]] = ((), b"")

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._is_receiving = False
        self._running: Any = None  # the cycle that is being answered; uvicorn's `cycle` is the latest
        self._requests_begun = 0  # in the current piece of data
        self._piece_bytes = 0  # of the current piece of data
        self._received_bytes = 0  # of a request, after the piece that it began in
        self._body_bytes = 0

    def on_head(self) -> None:
        """A request's head is complete and valid."""
        is_alone = self._is_alone()
        super().on_headers_complete()
        if is_alone:
            self._running = self.cycle

    def on_piece_of_body(self, body: bytes) -> None:
        """A piece of its body is received."""
        super().on_body(body)

    def on_end(self) -> None:
        """The request is complete."""
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Notify the request that is being answered; uvicorn notifies only the latest one."""
        super().connection_lost(exc)
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to another protocol; abort it where requests are still unanswered."""
        if not self._is_alone() or self.pipeline or self.parser.get_http_version() != "1.1":
            self.transport.abort()
            return
        self._is_receiving = False
        super().handle_websocket_upgrade()

    # From the parser

    def on_message_begin(self) -> None:
        """Begin a request, and stop the idle timer, which the answer before may have started."""
        self._is_receiving = True
        self._requests_begun += 1
        if self._requests_begun > MOST_AT_ONCE:
            self.transport.abort()
            raise TooManyAtOnceError
        self._body_bytes = 0
        self._unset_keepalive_if_required()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Check a head; one that offers an unsupported protocol is parsed again without the offer."""
        if self._is_ignored_upgrade():
            return
        fault = self._fault()
        if fault is not None:
            self._refuse(fault)
            raise RejectedHeadError
        self.on_head()
        if not self.parser.should_upgrade():
            self.headers = []  # trailers are ignored

    def on_body(self, body: bytes) -> None:
        """Count, and pass on."""
        self._body_bytes += len(body)
        self.on_piece_of_body(body)

    def on_message_complete(self) -> None:
        """End a request, unless its body is still to be parsed."""
        if not self._is_ignored_upgrade():
            self._is_receiving = False
            self.on_end()

    def on_response_complete(self) -> None:
        """Go on with the next request of the pipeline."""
        self._running = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()

    # For subclasses

    def _read(self, data: bytes) -> None:
        """Parse a piece of data."""
        self._requests_begun, self._piece_bytes = 0, len(data)
        self._unset_keepalive_if_required()
        self._feed(data)
        if self._requests_begun:
            self._received_bytes = 0
        elif self._is_receiving:
            self._received_bytes += len(data)
            if self._received_bytes > MOST_HEAD_BYTES + MOST_CHUNKING * self._body_bytes:
                self._refuse(HEAD_TOO_LARGE)

    def _is_alone(self) -> bool:
        """Whether no earlier request of this connection is unanswered."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def _write(self, answer: RawResponse, more_lines: bytes = b"") -> None:
        self.transport.writelines(
            (
                STATUS_LINES[answer.status],
                self._common_lines(),
                answer.lines,
                more_lines,
                answer.own_lines,
                answer.rest,
            )
        )

    def _common_lines(self) -> bytes:
        """The headers of every response, such as the date; uvicorn makes a new list of them each second."""
        headers = self.server_state.default_headers
        known, lines = StrictHttpProtocol._common
        if known is not headers:
            lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            StrictHttpProtocol._common = (headers, lines)
        return lines

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._ignore_upgrade(data[upgrade.args[0] :])
        except HttpParserError as error:
            is_ours = isinstance(error, HttpParserCallbackError)
            if is_ours and not isinstance(error.__context__, OF_THE_CLIENT):
                logger.error("a request could not be read", exc_info=error)
            self._refuse(MALFORMED)

    def _is_ignored_upgrade(self) -> bool:
        return bool(self.parser.should_upgrade()) and not self._should_upgrade()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse a request again without its offer of another protocol: the parser has skipped its body."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._feed(without_upgrade(method, self.url, version, self.headers) + rest)

    def _fault(self) -> RawResponse | None:
        """The response to an invalid head."""
        if self._piece_bytes > MOST_HEAD_BYTES and is_too_large(self.url, self.headers):
            return HEAD_TOO_LARGE
        message = fault_of(self.parser.get_http_version(), self.headers)
        return None if message is None else error_response(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message)

    def _refuse(self, response: RawResponse) -> None:
        """Send an error and close; only abort where the error would look like an earlier request's answer."""
        if self.transport.is_closing():
            return
        is_next = self._is_alone() or (
            self._is_receiving and self._running is self.cycle and not self.cycle.response_started
        )
        if is_next and not self.flow.write_paused:
            self._write(response)
            self.transport.close()
        else:
            self.transport.abort()
