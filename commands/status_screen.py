"""The state of an installation on a terminal, in colour and in place."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from commands.system_status import Standing

_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_COLUMN = 58
_SVG_COLUMNS = 2 * _COLUMN + 2


@contextmanager
def live(first: Standing) -> Iterator[Callable[[Standing], None]]:
    """Yield a function that redraws the screen."""
    with Live(screen(first), auto_refresh=False) as shown:
        yield lambda standing: shown.update(screen(standing), refresh=True)


def show_once(standing: Standing) -> None:
    """Print the screen once."""
    Console().print(screen(standing))


def svg_of(standing: Standing) -> str:
    """Return the screen as an SVG picture."""
    console = Console(record=True, width=_SVG_COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(screen(standing))
    # Without rich's web fonts, which a reader's browser would fetch from another host.
    return _FONT_FACE.sub("", console.export_svg(title="boxoffice status", unique_id="status"))


def screen(standing: Standing) -> RenderableType:
    """Return the whole screen."""
    state = Text("well", "bold green") if standing.well else Text("not well", "bold red")
    head = Text.assemble("boxoffice at ", (standing.address, "cyan"), " is ", state, f"   {standing.at}")
    left = Group(_parts(standing), _processes(standing))
    right = Group(_sale(standing), _hottest(standing), _lines(standing))
    return Group(head, Columns([left, right], width=_COLUMN))


def _parts(standing: Standing) -> RenderableType:
    table = _table("part", "state", "ms", "since")
    for name, part in standing.parts.items():
        state = Text("ok", "green") if part["ok"] else Text(part["detail"] or "down", "red")
        if not part["ok"] and not part["needed"]:
            state.stylize("yellow")
        table.add_row(name, state, f"{part['latencyMs']:.1f}", part["since"][11:19])
    if not standing.parts:
        table.add_row("api", Text(standing.api, "red"), "", "")
    return Panel(table, title="parts", title_align="left")


def _processes(standing: Standing) -> RenderableType:
    table = _table("process", "pid", "MB", "files", "loop late")
    for name, process in standing.processes.items():
        pid = Text("down", "red") if not process.running else Text(str(process.pid or ""))
        memory = "" if process.memory_bytes is None else f"{process.memory_bytes / 1e6:.0f}"
        files = "" if process.open_files is None else f"{process.open_files:.0f}"
        late = "" if process.loop_lag_seconds is None else f"{process.loop_lag_seconds * 1000:.1f} ms"
        table.add_row(name, pid, memory, files, late)
    return Panel(table, title="processes", title_align="left")


def _sale(standing: Standing) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    sale = standing.sale
    if sale is not None:
        table.add_row("holds in the last minute", Text(str(sale.holds_last_minute), "bold"))
        table.add_row("of them booked", Text(str(sale.booked_of_them), "bold"))
    for state, count in standing.orders.items():
        table.add_row(f"orders {state} now", f"{count:.0f}")
    age = standing.outbox.get("age_seconds")
    if age is not None:
        waiting = f"{standing.outbox['waiting']:.0f} waiting, {age:.1f} s old"
        table.add_row("outbox", Text(waiting, "red" if age > 30 else ""))
    if standing.refunds.get("waiting"):
        last = f"{standing.refunds['waiting']} to be sent, the last at {standing.refunds['last_due']}"
        table.add_row("refunds", last)
    table.add_row("search index", standing.search_index)
    if standing.standby:
        table.add_row("standby of PostgreSQL", standing.standby)
    for name, leader in standing.leaders.items():
        table.add_row(f"{name}, led by", f"{leader['process']} since {leader['since'][11:19]}")
    for transport, count in standing.subscribers.items():
        table.add_row(f"subscribers, {transport}", f"{count:.0f}")
    return Panel(table, title="sale", title_align="left")


def _hottest(standing: Standing) -> RenderableType:
    table = _table("event", "holds", "booked")
    for each in standing.sale.hottest if standing.sale else ():
        table.add_row(each["name"], str(each["holds"]), str(each["booked"]))
    return Panel(table, title="hottest in the last minute", title_align="left")


def _lines(standing: Standing) -> RenderableType:
    table = _table("event", "waiting", "active", "/min")
    for event, figures in standing.waiting_rooms.items():
        counts = (f"{figures[name]:.0f}" for name in ("waiting", "active", "rate_per_minute"))
        table.add_row(event, *counts)
    return Panel(table, title="waiting rooms", title_align="left")


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
