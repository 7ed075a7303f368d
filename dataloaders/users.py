"""Users by id."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.queries.users import UserRow, users_by_id
from db.session import Database


def users_loader(database: Database) -> DataLoader[UUID, UserRow | None]:
    """One query for all users of a batch; None where there is none."""

    async def load(user_ids: Sequence[UUID]) -> list[UserRow | None]:
        found = await users_by_id(database, user_ids)
        return [found.get(user_id) for user_id in user_ids]

    return DataLoader(load)
