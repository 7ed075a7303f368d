"""`boxoffice status`: the state of an installation, once or repeatedly, as a screen, plain lines or JSON."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from commands.configuration import settings_of_running
from commands.output import line
from commands.system_status import Standing, standing_of
from settings import Settings


def status(
    data_dir: str | None, *, watch: bool, as_json: bool, every_seconds: int = 1, svg: str | None = None
) -> int:
    """Show the state; the exit status is 0 when the last one was good, else 1."""
    settings = settings_of_running(data_dir)
    if watch:
        return _watch(settings, as_json=as_json, every_seconds=every_seconds, svg=svg)
    standing = asyncio.run(standing_of(settings))
    _print(standing, as_json=as_json)
    _draw(standing, svg)
    return 0 if standing.well else 1


def _watch(settings: Settings, *, as_json: bool, every_seconds: int, svg: str | None) -> int:
    """Show the state repeatedly until Ctrl-C."""
    standing = asyncio.run(standing_of(settings))
    try:
        if sys.stdout.isatty() and not as_json:
            from commands.status_screen import live

            with live(standing) as show:
                while True:
                    time.sleep(every_seconds)
                    standing = asyncio.run(standing_of(settings))
                    show(standing)
        while True:
            _print(standing, as_json=as_json)
            time.sleep(every_seconds)
            standing = asyncio.run(standing_of(settings))
    except KeyboardInterrupt:
        _draw(standing, svg)
    return 0 if standing.well else 1


def _draw(standing: Standing, svg: str | None) -> None:
    if svg is not None:
        from commands.status_screen import svg_of

        Path(svg).write_text(svg_of(standing), encoding="utf-8")


def _print(standing: Standing, *, as_json: bool) -> None:
    if as_json:
        line(standing.as_json())
    elif sys.stdout.isatty():
        from commands.status_screen import show_once

        show_once(standing)
    else:
        for text in lines_of(standing):
            line(text)


def lines_of(standing: Standing) -> Iterator[str]:
    """Yield a line for each process and store, then the sale."""
    for name, process in standing.processes.items():
        at = "" if process.pid is None else f" (pid {process.pid})"
        yield f"{name}: running{at}" if process.running else f"{name}: not running"
    yield f"api: {standing.api}"
    for name, part in standing.parts.items():
        state = "ok" if part["ok"] else "down"
        detail = f" ({part['detail']})" if part["detail"] else ""
        needed = "" if part["needed"] else ", not needed"
        yield f"part {name}: {state}{detail}, {part['latencyMs']} ms, since {part['since']}{needed}"
    yield f"search index: {standing.search_index}"
    if standing.standby:
        yield f"standby of PostgreSQL: {standing.standby}"
    for name, leader in standing.leaders.items():
        yield f"leader of {name}: {leader['process']} since {leader['since']}"
    yield from _sale_lines(standing)


def _sale_lines(standing: Standing) -> Iterator[str]:
    if standing.refunds.get("waiting"):
        yield f"refunds: {standing.refunds['waiting']} to be sent, the last at {standing.refunds['last_due']}"
    if standing.outbox.get("waiting") is not None:
        yield f"outbox: {standing.outbox['waiting']:.0f} waiting, {standing.outbox['age_seconds']:.1f} s old"
    if standing.orders:
        yield "orders: " + ", ".join(f"{count:.0f} {state}" for state, count in standing.orders.items())
    if standing.subscribers:
        open_ones = (f"{count:.0f} {transport}" for transport, count in standing.subscribers.items())
        yield "subscribers: " + ", ".join(open_ones)
    sale = standing.sale
    if sale is not None:
        yield f"last minute: {sale.holds_last_minute} holds, {sale.booked_of_them} of them booked"
        for each in sale.hottest:
            yield f"hot: {each['event']} {each['name']}: {each['holds']} holds, {each['booked']} booked"
    for event, figures in standing.waiting_rooms.items():
        people = f"{figures['waiting']:.0f} waiting, {figures['active']:.0f} shopping"
        yield f"waiting room of {event}: {people}, {figures['rate_per_minute']:.0f} a minute"
