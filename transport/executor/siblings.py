"""Waiting for sibling fields together."""

from __future__ import annotations

from asyncio import Future, ensure_future, gather
from collections.abc import Coroutine, Sequence
from typing import Any

from .runs import Run


async def gather_siblings(run: Run, coroutines: Sequence[Coroutine[Any, Any, Any]]) -> Sequence[Any]:
    """Await the coroutines together; the first failure is raised at once, and the others run to their end.

    Nothing is cancelled, unlike in graphql-core: a sibling may wait for a loader's future that other
    branches of the document wait for too. What the others still report is dropped, since their place in
    the answer is null.
    """
    if len(coroutines) == 1:
        return (await coroutines[0],)
    futures: list[Future[Any]] = [ensure_future(each) for each in coroutines]
    try:
        return await gather(*futures)
    except Exception:
        unfinished = [future for future in futures if not future.done()]
        if unfinished:
            run.settle_in_background(unfinished)
        raise
