"""A person's data: found, exported, and erased so that nothing connects what stays with them."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.queries.personal_data import PersonalCounts
from domain.errors import InvalidInput, NotFound
from domain.ids import Kind, public_id, user_id_of
from domain.person import person_of
from domain.viewer import GUEST_SUBJECT, Viewer
from kit.clock import utc_now
from services.context import ServiceContext
from services.identity.personal_data import erase_person, export_person, find_accounts
from services.ordering.attempt import ReserveRequest
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import ORGANISER, buyer, open_event
from tests.orders import tickets_on

ROOT = Path(__file__).resolve().parents[3]
ANN = replace(buyer("ann"), name="Ann Erasable", email="Ann.Erasable@example.org")


def guest_of(email: str) -> Viewer:
    subject = f"{GUEST_SUBJECT}{email}"
    return Viewer(user_id_of(subject), subject, email, None, frozenset({"buy"}))


async def held_by(context: ServiceContext, who: Viewer, *places: int) -> UUID:
    event_id = await open_event(context.database, rows=[4])
    selection = ExactSeats(places or (0,))
    request = ReserveRequest(event_id, selection, idempotency_key=f"ann's own {uuid4()}")
    return (await reserve(context, who, request)).id


async def booked_by(context: ServiceContext, who: Viewer, *places: int) -> UUID:
    order_id = await held_by(context, who, *places)
    await pay(context, who, order_id, "pm_card_visa", f"ann's own {uuid4()}")
    while await deliver(context):
        pass
    return order_id


async def wait_in_line(context: ServiceContext, who: Viewer, event_id: UUID) -> None:
    await context.database.fetch(
        "INSERT INTO queue_entries (event_id, user_id, state, place, sequence) VALUES ($1, $2, 'W', 1, 1)",
        event_id,
        who.user_id,
    )


async def mentions(context: ServiceContext, text: str) -> list[str]:
    """The tables that have a text in any row, in any case."""
    names = await context.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = []
    for (name,) in names:
        query = f'SELECT count(*) FROM "{name}" AS row WHERE strpos(lower(row::text), lower($1)) > 0'
        if await context.database.fetchval(query, text):
            found.append(name)
    return sorted(found)


async def totals(context: ServiceContext, order_id: UUID) -> list[Any]:
    """What the law keeps: the order's money, its tickets, its payment and its refunds."""
    rows = await context.database.fetch(
        "SELECT reference, orders.state, total_minor, claims.place, claims.state, captured_minor,"
        " refunded_minor FROM orders JOIN claims ON claims.order_id = orders.id"
        " JOIN payments ON payments.order_id = orders.id"
        " WHERE orders.id = $1 ORDER BY place",
        order_id,
    )
    return [tuple(row) for row in rows]


async def test_every_form_of_an_address_is_found_when_its_host_has_other_letters(
    context: ServiceContext,
) -> None:
    forms = ["ada@MÜNCHEN.example", "Ada+1@xn--mnchen-3ya.example", "ada@mu\u0308nchen.example"]
    guests = [guest_of(form) for form in forms]
    for who in (*guests, guest_of("eva@münchen.example"), guest_of("ada@munchen.example")):
        await held_by(context, who)

    for form in forms:
        found = await find_accounts(context.database, user=None, email=form)

        assert {account.id for account in found} == {who.user_id for who in guests}


async def test_export_has_everything_when_a_person_bought(context: ServiceContext) -> None:
    order_id = await booked_by(context, ANN, 0, 1)
    await booked_by(context, buyer("somebody else"), 2)

    accounts = await find_accounts(context.database, user=ANN.subject, email=None)
    stored = await export_person(context.database, accounts)

    assert [(one["subject"], one["email"], one["name"]) for one in stored["accounts"]] == [
        (ANN.subject, ANN.email, ANN.name)
    ]
    assert [one["id"] for one in stored["orders"]] == [order_id]
    assert [one["place"] for one in stored["tickets"]] == [0, 1]
    assert [one["state"] for one in stored["payments"]] == ["CAPTURED"]
    assert (stored["refunds"], stored["queue_entries"], stored["organised_events"]) == ([], [], [])


async def test_nothing_names_the_person_when_they_are_erased(context: ServiceContext) -> None:
    order_id = await booked_by(context, ANN, 0, 1)
    other_id = await booked_by(context, buyer("somebody else"), 2)
    await refund(
        context,
        ORGANISER,
        order_id,
        await tickets_on(context.database, order_id, 0),
        "Ann Erasable asked for it",
    )
    while await deliver(context):
        pass
    named = "UPDATE claims SET holder_name = $2, holder_email = $3 WHERE order_id = $1"
    await context.database.fetch(named, order_id, ANN.name, ANN.email)
    over = await open_event(context.database, rows=[4], starts_at=utc_now())
    await wait_in_line(context, ANN, over)
    before, others = await totals(context, order_id), await totals(context, other_id)
    personal = [ANN.subject, "erasable", str(ANN.user_id), str(person_of(ANN).key), "ann's own"]
    assert all([await mentions(context, text) for text in personal]), "the search finds what is there"

    accounts = await find_accounts(context.database, user=None, email="ann.erasable@example.org")
    counts = await erase_person(context.database, accounts, utc_now())

    assert counts == PersonalCounts(accounts=1, orders=1, events=0, queue_entries=1)
    left = {text: await mentions(context, text) for text in personal}
    assert left.pop("ann's own") == ["idempotency_keys", "orders", "payments"], "of the other buyer"
    assert not any(left.values()), left
    assert await totals(context, order_id) == before
    assert await totals(context, other_id) == others
    owner = await context.database.fetchrow(
        "SELECT subject, email, name FROM users JOIN orders ON user_id = users.id WHERE orders.id = $1",
        order_id,
    )
    assert owner is not None and owner["subject"].startswith("erased:")
    assert (owner["email"], owner["name"]) == (None, None)
    with pytest.raises(NotFound):
        await find_accounts(context.database, user=ANN.subject, email=None)


async def test_all_guests_are_found_when_their_address_has_several_forms(context: ServiceContext) -> None:
    for number, email in enumerate(("guest@example.org", "GUEST+tickets@example.org", "guests@example.org")):
        await booked_by(context, guest_of(email), number)

    found = await find_accounts(context.database, user=None, email="Guest+other@Example.org")

    assert sorted(str(one.email) for one in found) == ["GUEST+tickets@example.org", "guest@example.org"]
    assert all(one.guest for one in found)


@pytest.mark.parametrize("need", ["unpaid order", "running event", "place in line"])
async def test_nothing_is_erased_when_something_needs_its_owner(context: ServiceContext, need: str) -> None:
    await booked_by(context, ANN, 0)
    if need == "unpaid order":
        await held_by(context, ANN, 1)
    elif need == "running event":
        await open_event(context.database, rows=[4], organiser_id=ANN.user_id)
    else:
        running = await open_event(context.database, rows=[4], waiting_room_enabled=True)
        await wait_in_line(context, ANN, running)
    accounts = await find_accounts(context.database, user=ANN.subject, email=None)
    before = await export_person(context.database, accounts)

    with pytest.raises(InvalidInput, match="Nothing was erased: this person still has 1 "):
        await erase_person(context.database, accounts, utc_now())

    assert await export_person(context.database, accounts) == before


async def test_past_events_stay_when_their_organiser_is_erased(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4], starts_at=utc_now())

    accounts = await find_accounts(context.database, user=ORGANISER.subject, email=None)
    counts = await erase_person(context.database, accounts, utc_now())

    assert counts.events == 1
    owner = await context.database.fetchval(
        "SELECT subject FROM users JOIN events ON organiser_id = users.id WHERE events.id = $1", event_id
    )
    assert owner.startswith("erased:")


async def run_person(postgres_url: str, *arguments: str) -> tuple[int, str]:
    """`boxoffice person`, in a pipe: its exit status and its output."""
    environment = {**os.environ, "BOXOFFICE_DATABASE_URL": postgres_url}
    command = [sys.executable, "-m", "cli", "person", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


async def test_command_erases_only_when_it_is_confirmed(context: ServiceContext, postgres_url: str) -> None:
    order_id = await booked_by(context, ANN, 0)
    whose = ("--user", public_id(Kind.USER, ANN.user_id))

    exported = await run_person(postgres_url, "export", *whose)
    rehearsed = await run_person(postgres_url, "erase", *whose, "--dry-run")
    unconfirmed = await run_person(postgres_url, "erase", *whose)
    assert await mentions(context, "erasable") == ["users"]
    erased = await run_person(postgres_url, "erase", *whose, "--yes")
    again = await run_person(postgres_url, "export", *whose)

    assert json.loads(exported[1])["orders"][0]["id"] == public_id(Kind.ORDER, order_id)
    assert rehearsed[0] == 0 and "1 accounts, 1 orders, 0 events, 0 queue entries" in rehearsed[1]
    assert unconfirmed[0] == 1 and unconfirmed[1].endswith("Nothing was erased.\n")
    assert erased[0] == 0 and "Erased 1 accounts; 1 orders stay without a person." in erased[1]
    assert again[0] == 2 and "Nothing is stored about this person." in again[1]
    assert await mentions(context, "erasable") == []
