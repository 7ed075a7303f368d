"""The output of commands: plain lines in a pipe, colour and progress bars on a terminal."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int, str], None]
"""Called with the number done, the total (0: unknown) and the kind of things."""

REPORT_SECONDS = 2.0
JSON_COLUMNS = 110


def line(text: str) -> None:
    """Print one line to stdout at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def json_lines(value: object, indent: str = "", width: int = JSON_COLUMNS) -> str:
    """Return readable JSON: a value that fits into `width` columns stands on one line."""
    short = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(indent + short) <= width:
        return short
    deeper = indent + "  "
    if isinstance(value, dict):
        members = [
            f"{json.dumps(name, ensure_ascii=False)}: {json_lines(each, deeper, width)}"
            for name, each in value.items()
        ]
        opening, closing = "{", "}"
    else:
        members = [json_lines(each, deeper, width) for each in value]
        opening, closing = "[", "]"
    return opening + ",".join(f"\n{deeper}{each}" for each in members) + f"\n{indent}{closing}"


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """Yield a progress function: a bar on a terminal, a line every two seconds elsewhere."""
    if sys.stdout.isatty():
        with bars() as report:
            yield report
    else:
        yield PlainReport()


class PlainReport:
    """Shows progress as plain lines: the first, one every two seconds, and the last."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}

    def __call__(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        is_due = now - self.last.get(what, float("-inf")) >= REPORT_SECONDS
        if is_due or (total and done >= total):
            self.last[what] = now
            line(f"{what}: {done}" + (f" of {total}" if total else ""))


@contextmanager
def bars() -> Iterator[Progress]:
    """One bar for each kind of thing."""
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with RichProgress(*columns, TimeElapsedColumn()) as shown:
        tasks: dict[str, TaskID] = {}

        def report(done: int, total: int, what: str) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total or None)
            shown.update(tasks[what], completed=done, total=total or None)

        yield report
