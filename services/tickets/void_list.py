"""The void list: which issued tickets of an event a door must not let in."""

from uuid import UUID

from db.queries.tickets import VoidList, void_list
from services.context import ServiceContext, reading


async def voids_since(context: ServiceContext, event_id: UUID, version: int = 0) -> VoidList:
    """Return what became void after a version of an event's list, and the list's present version.

    Raises:
        Unavailable: The database does not answer.
    """
    return await reading(void_list(context.database, event_id, version))
