"""With the room on, people without admission do not make the database work, however hard they press."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from uuid import UUID

import jwt
import pytest

from db.session import Connection, Database
from domain.ids import Kind, parse_id, public_id, user_id_of
from kit.clock import utc_now
from kit.ids import new_uuid
from services.waiting_room.queue_tokens import QueueTokens, admission_id_of
from tests.apis import Api, new_token, token_of
from tests.integration.reading.test_waiting import opened

PRESSES = 100
FOREIGN_SECRET = "another installation's secret, long enough to be one"


class Uses:
    """How often a connection to PostgreSQL was taken."""

    number = 0


@contextmanager
def uses_of_the_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Uses]:
    uses, connection = Uses(), Database.connection

    @asynccontextmanager
    async def counted(self: Database) -> AsyncIterator[Connection]:
        uses.number += 1
        async with connection(self) as each:
            yield each

    with monkeypatch.context() as patched:
        patched.setattr(Database, "connection", counted)
        yield uses


def forged(event_id: UUID, subject: str) -> list[str]:
    """Tokens of no worth: noise, another's signature, and none at all."""
    user_id = user_id_of(subject)
    admission_id = admission_id_of(user_id, "0" * 20)
    soon = utc_now() + timedelta(minutes=5)
    foreign = QueueTokens(FOREIGN_SECRET).mint(event_id, user_id, admission_id, soon)
    claims = jwt.decode(foreign, options={"verify_signature": False})
    return ["nonsense", foreign, jwt.encode(claims, "", algorithm="none")]


async def press(api: Api, event_id: str, queue_tokens: list[str | None], token: str) -> set[str]:
    """As many reserves as `PRESSES`, at once; the codes that they were refused with."""
    wanted = {"eventId": event_id, "selection": {"bestAvailable": {"quantity": 1}}}
    answers = await asyncio.gather(
        *(
            api.mutate(
                "reserve",
                wanted | {"queueToken": queue_tokens[number % len(queue_tokens)]},
                token,
            )
            for number in range(PRESSES)
        )
    )
    return {answer["code"] for answer in answers}


async def test_reserve_leaves_postgresql_alone_when_the_caller_has_no_admission(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = await opened(api, admitPerMinute=1, maxActive=1)
    key, subject = parse_id(event_id, Kind.EVENT), "test|presser"
    token = token_of(subject, "buy")
    # The event's row is read once and then from memory.
    await press(api, event_id, [None], token)

    with uses_of_the_database(monkeypatch) as uses:
        without = await press(api, event_id, [None], token)
        with_forged = await press(api, event_id, list(forged(key, subject)), token)

    assert without == {"QUEUE_TOKEN_REQUIRED"}
    assert with_forged == {"QUEUE_TOKEN_INVALID"}
    # The event's row grows old after a second.
    assert uses.number <= 5, f"{uses.number} uses of the database for {2 * PRESSES} refusals"


async def test_looking_leaves_postgresql_alone_when_people_in_line_poll(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = await opened(api, admitPerMinute=1, maxActive=1)
    tokens = [new_token() for _ in range(10)]
    for token in tokens:
        await api.mutate("joinQueue", {"eventId": event_id}, token)
    query = "query ($id: ID!) { queueEntry(eventId: $id) { state position } }"

    with uses_of_the_database(monkeypatch) as uses:
        for _ in range(10):
            await asyncio.gather(*(api.ask(query, {"id": event_id}, token) for token in tokens))
            again = await asyncio.gather(
                *(
                    api.mutate(
                        "joinQueue",
                        {"eventId": event_id},
                        token,
                        "... on JoinQueueSuccess { entry { position } }",
                    )
                    for token in tokens
                )
            )

    assert [each["entry"]["position"] for each in again] == list(range(1, 11))
    assert uses.number <= 5, f"{uses.number} uses of the database for {20 * len(tokens)} looks"


async def test_joins_share_statements_when_many_come_at_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = await opened(api, admitPerMinute=1, maxActive=1)

    with uses_of_the_database(monkeypatch) as uses:
        await asyncio.gather(
            *(api.mutate("joinQueue", {"eventId": event_id}, new_token()) for _ in range(PRESSES))
        )

    assert 1 <= uses.number <= PRESSES / 4


async def test_pay_reads_one_row_at_most_when_the_caller_has_nothing_to_pay(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(api, admitPerMinute=1, maxActive=1)
    token = new_token()
    statements: list[str] = []
    fetchrow = Database.fetchrow

    async def counted(self: Database, query: str, *arguments: object) -> object:
        statements.append(query)
        return await fetchrow(self, query, *arguments)

    with monkeypatch.context() as patched, uses_of_the_database(monkeypatch) as uses:
        patched.setattr(Database, "fetchrow", counted)
        codes = {
            (await api.mutate("pay", {"orderId": public_id(Kind.ORDER, new_uuid())}, token))["code"]
            for _ in range(PRESSES)
        }

    assert codes == {"NOT_FOUND"}
    assert uses.number <= PRESSES, f"{uses.number} uses of the database for {PRESSES} refusals"
    assert len(statements) <= PRESSES
    assert all("FROM orders" in statement and "FOR UPDATE" not in statement for statement in statements)
