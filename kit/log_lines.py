"""Log lines: JSON for machines, key=value for a person at a terminal; one event a line either way."""

import logging
import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, TextIO

import orjson

from kit.log_context import bound_facts
from kit.redaction import redacted
from kit.spans import current_span

LogFormat = Literal["auto", "json", "text"]
Line = MutableMapping[str, Any]
Enrich = Callable[[Line], None]

# What every record has; whatever else is in one came by `extra`.
_OF_EVERY_RECORD = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "color_message"}
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-#0 +]*[\d*]*(?:\.[\d*]+)?[a-zA-Z%]|\{[^}]*\}")
_LONGEST_EVENT = 80
# These say at INFO what each request of ours to another service was.
_TALKATIVE = ("httpx", "httpcore", "stripe", "urllib3", "asyncio", "websockets", "opentelemetry")


@lru_cache(maxsize=1024)
def event_of(template: str) -> str:
    """The name of an event from its message's template: what stays the same each time it happens."""
    words = re.sub(r"[^a-z0-9]+", "_", _PLACEHOLDER.sub(" ", template).lower())
    return words[:_LONGEST_EVENT].strip("_") or "message"


class Lines(logging.Formatter):
    """Makes a record's facts: when, how grave, what, for which request and order, and why."""

    def __init__(self, enrich: Enrich | None = None) -> None:
        super().__init__()
        self._enrich = enrich

    def facts(self, record: logging.LogRecord) -> Line:
        """Everything about a record by name, each text cleared of secrets."""
        line: Line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": event_of(str(record.msg)),
            "message": redacted(record.getMessage()),
        }
        line.update(bound_facts())
        span = current_span()
        if span is not None:
            line["trace_id"] = span.trace_id
        for name, value in record.__dict__.items():
            if name not in _OF_EVERY_RECORD:
                line[name] = _clean(value)
        if self._enrich is not None:
            self._enrich(line)
        if record.exc_info and record.exc_info[0] is not None:
            line["fault"] = redacted("".join(traceback.format_exception(*record.exc_info)))
        return line


class JsonLines(Lines):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        return orjson.dumps(self.facts(record), default=str).decode()


class TextLines(Lines):
    """Time, level and message, then name=value; a fault's traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        line = self.facts(record)
        fault = line.pop("fault", None)
        del line["event"]
        head = f"{line.pop('time')[11:23]} {line.pop('level'):7} {line.pop('logger')}: "
        head += _on_one_line(line.pop("message"))
        text = " ".join([head, *(f"{name}={_on_one_line(value)}" for name, value in line.items())])
        return text if fault is None else f"{text}\n{fault.rstrip()}"


def _clean(value: object) -> object:
    return value if isinstance(value, int | float) else redacted(str(value))


def _on_one_line(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else repr(text)


def write_logs(
    level: str, chosen: LogFormat = "auto", *, stream: TextIO | None = None, enrich: Enrich | None = None
) -> None:
    """Send every log line of this process to a stream, by default standard error.

    `auto` is JSON everywhere but on a terminal.
    """
    stream = stream or sys.stderr
    lines = TextLines if chosen == "text" or (chosen == "auto" and stream.isatty()) else JsonLines
    handler = logging.StreamHandler(stream)
    handler.setFormatter(lines(enrich))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
