"""`boxoffice reindex`: a full rebuild of the index while the installation runs."""

from collections.abc import Callable
from typing import Protocol

from db.session import Database
from services.search.rebuild_index import Progress, rebuild
from workers.indexing import EngineAddress, search_engine


class ReindexSettings(EngineAddress, Protocol):
    """The addresses of the database and of the engine."""

    @property
    def session_url(self) -> str: ...


async def reindex(settings: ReindexSettings, progress: Callable[[int, int, str], None]) -> int:
    """Build a second index, swap it in, and return the number of its documents.

    Raises:
        ReindexRunning: another rebuild is under way.
        IndexUnavailable: the engine does not answer.
    """
    engine = search_engine(settings)
    if engine is None:
        raise ValueError("no search engine is configured")
    database = Database(settings.session_url, most=2)

    def report(reached: Progress) -> None:
        progress(reached.done, reached.total, "events")

    try:
        return await rebuild(database, engine, report)
    finally:
        await database.close()
