"""Users, who are inserted at their first request with a token."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.queries.columns import columns_of
from db.session import Connection, Database
from domain.ids import Kind, public_id
from domain.viewer import Viewer


@dataclass(frozen=True, slots=True)
class UserRow:
    """A buyer or an organiser."""

    id: UUID
    email: str | None
    name: str | None

    @property
    def public_id(self) -> str:
        """E.g. usr_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.USER, self.id)


async def users_by_id(source: Database | Connection, ids: Sequence[UUID]) -> dict[UUID, UserRow]:
    """The users with these ids."""
    records = await source.fetch(f"SELECT {columns_of(UserRow)} FROM users WHERE id = ANY($1)", list(ids))
    return {record["id"]: UserRow(*record) for record in records}


async def store_user(connection: Connection, viewer: Viewer) -> None:
    """Store the user of a token; a later token's email and name replace those of the first."""
    # ON CONFLICT (id) DO UPDATE would fail on the subject's index when two first requests come at once.
    await connection.execute(
        "INSERT INTO users (id, subject, email, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        viewer.user_id,
        viewer.subject,
        viewer.email,
        viewer.name,
    )
    await connection.execute(
        "UPDATE users SET email = $2, name = $3 WHERE id = $1 AND (email, name) IS DISTINCT FROM ($2, $3)",
        viewer.user_id,
        viewer.email,
        viewer.name,
    )


async def ensure_user(
    connection: Connection, user_id: UUID, subject: str, email: str | None, name: str | None
) -> None:
    """Insert a user where there is none, for events to belong to."""
    await connection.execute(
        "INSERT INTO users (id, subject, email, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        user_id,
        subject,
        email,
        name,
    )
