"""The completion of lists: item by item, in turns of the event loop where they are long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import CoroutineType
from typing import Any, TypeAlias

from graphql import GraphQLList, GraphQLOutputType
from graphql.pyutils import Undefined

from .runs import (
    Complete,
    Info,
    Run,
    Site,
    Trail,
    is_awaitable,
    is_coroutine,
    never_awaitable,
    path_of,
)
from .siblings import gather_siblings

LISTED_AT_ONCE = 500
"""Objects of one answer completed in one turn of the event loop; a longer list yields in between."""

Items: TypeAlias = Callable[[Run, Sequence[Any], Trail, Info, int], Any]
"""Completes items from an index on: their results, or a coroutine of them"""


def list_completer(
    site: Site, kind: GraphQLList[Any], item: Complete, exact: type | None, absent: Callable[[], Any]
) -> Complete:
    """Build the completer of a list; `exact` is the type of items that are written as they are."""
    complete_items = _items(_item(site, kind.of_type, item))

    def complete(run: Run, value: Any, trail: Trail, info: Info) -> Any:
        if value is None or value is Undefined:
            return absent()
        if isinstance(value, Exception):
            raise value
        if not isinstance(value, (list, tuple)):
            whole = site.whole_info(run, trail) if info is None else info.whole()
            return run.complete_value(kind, site.details, whole, path_of(trail), value, None)
        if exact is not None and all(type(each) is exact for each in value):
            return list(value)
        run.listed += len(value)
        if run.listed > LISTED_AT_ONCE and value:
            return _in_turns(complete_items, run, value, trail, info)
        return complete_items(run, value, trail, info, 0)

    return complete


async def _in_turns(
    complete_items: Items, run: Run, values: Sequence[Any], above: Trail, info: Info
) -> list[Any]:
    results: list[Any] = []
    for start in range(0, len(values), LISTED_AT_ONCE):
        async with run.turns:
            await asyncio.sleep(0)
            some = complete_items(run, values[start : start + LISTED_AT_ONCE], above, info, start)
        results += await some if is_coroutine(some) else some
    return results


def _items(complete_item: Complete) -> Items:
    def complete(run: Run, values: Sequence[Any], above: Trail, info: Info, start: int) -> Any:
        results: list[Any] = []
        pending: list[int] = []
        try:
            for index, each in enumerate(values):
                completed = complete_item(run, each, (above, start + index, None), info)
                if type(completed) is CoroutineType:
                    pending.append(index)
                results.append(completed)
        except Exception:
            later = [each for each in values[len(results) + 1 :] if is_awaitable(each)]
            waiting = [results[index] for index in pending] + later
            if waiting:
                run.settle_in_background(waiting)
            raise
        return _gathered(run, results, pending) if pending else results

    return complete


def _item(site: Site, item_type: GraphQLOutputType, item: Complete) -> Complete:
    """Build the completer of one item, which puts an error into the item's place."""

    def complete(run: Run, each: Any, trail: Trail, info: Info) -> Any:
        try:
            if type(each) not in never_awaitable and is_awaitable(each):
                return awaited(run, each, trail, info)
            completed = item(run, each, trail, info)
            return guarded(run, completed, trail) if type(completed) is CoroutineType else completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path_of(trail))
            return None

    async def awaited(run: Run, each: Any, trail: Trail, info: Info) -> Any:
        try:
            completed = item(run, await each, trail, info)
            return await completed if is_coroutine(completed) else completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path_of(trail))
            return None

    async def guarded(run: Run, completed: Any, trail: Trail) -> Any:
        try:
            return await completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path_of(trail))
            return None

    return complete


async def _gathered(run: Run, results: list[Any], pending: list[int]) -> list[Any]:
    awaited = await gather_siblings(run, [results[index] for index in pending])
    for index, value in zip(pending, awaited, strict=True):
        results[index] = value
    return results
