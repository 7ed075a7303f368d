"""`boxoffice simulate sale`: a sale with high demand on temporary servers."""

import argparse
import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from commands.output import Progress, line, progress_shown
from commands.plots import line_plot
from commands.sale import Plan, Result, Sale
from commands.steps import run
from domain.ids import user_id_of
from domain.money import Money
from domain.seating import GeneralAdmission
from domain.viewer import Scope, Viewer
from kit.seeds import new_seed
from services.catalogue.organise_events import EventDraft, VenueDraft, create_event, publish_event
from settings import Settings

_ADMISSION_SECONDS = 30


def simulate_sale(arguments: argparse.Namespace) -> None:
    """Run the sale, print its result, and draw the plot."""
    plan = Plan(
        arguments.people,
        arguments.seats,
        arguments.per_minute,
        arguments.max_active,
        arguments.visit_seconds,
        arguments.seed,
    )
    with own_parts() as settings, progress_shown() as progress:
        result = run(play(settings, plan, progress))
    line(
        f"{result.booked} orders booked, {result.empty_handed} people empty-handed, {result.errors} errors; "
        f"at most {result.most_active} of {plan.max_active} shopping at once; "
        f"{result.worse_places} places got worse; the median estimate was {result.median_eta_error():.0%} off"
    )
    Path(arguments.plot).write_text(plot_of(result, plan), encoding="utf-8")
    line(f"The plot is in {arguments.plot}.")


@contextmanager
def own_parts() -> Iterator[Settings]:
    """PostgreSQL, Valkey and the local Stripe in a temporary data dir."""
    from db.migrate import migrate
    from devservices.local_stripe import LocalStripe
    from devservices.postgres import Postgres
    from devservices.valkey import Valkey

    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="boxoffice-") as folder, ExitStack() as stack:
        home = Path(folder)
        postgres = Postgres(home, password=secret, durable=False)
        valkey = Valkey(home, password=secret)
        stripe = LocalStripe(home, "http://127.0.0.1:9/webhooks/stripe", f"whsec_local_{secret}")
        for part in (postgres, valkey, stripe):
            part.start()
            stack.callback(part.stop)
        run(migrate(postgres.url()))
        yield Settings(
            data_dir=home,
            database_url=postgres.url(),
            redis_url=valkey.url(),
            stripe_api_key=f"sk_test_{secret}",
            stripe_api_base=stripe.url(),
            stripe_webhook_secret=stripe.webhook_secret,
            jwt_secret=secrets.token_hex(32),
            ticket_key=new_seed(),
        )


async def play(settings: Settings, plan: Plan, progress: Progress) -> Result:
    """Run the sale with the services of an API process and the loops of a worker."""
    from domain.waiting_room import WaitingRoomSettings
    from parts import build_parts
    from subscriptions.queue_positions import WaitingRoomHub
    from workers.admission import admission_loop
    from workers.ordering import ordering_loops

    parts = build_parts(settings)
    await parts.channels.open()
    organiser = organiser_of_the_sale()
    event_id = await create_event(parts.context, organiser, draft_of(parts.context.now(), plan))
    await publish_event(parts.context, organiser, event_id)
    room = WaitingRoomSettings(True, plan.per_minute, plan.max_active, _ADMISSION_SECONDS)
    await parts.waiting_rooms.configure(organiser, event_id, room)
    parts.context.sales.forget(event_id)
    loops = [*ordering_loops(parts.context), admission_loop(parts.admission_controller)]
    tasks = [asyncio.create_task(each.run()) for each in loops]
    hub = WaitingRoomHub(parts.waiting_rooms, parts.channels)
    try:
        return await Sale(plan, parts.context, parts.waiting_rooms, hub, event_id).play(progress)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        hub.close()
        await parts.close()


def organiser_of_the_sale() -> Viewer:
    """The organiser of the sale."""
    subject = "simulated|organiser"
    return Viewer(user_id_of(subject), subject, None, None, frozenset({Scope.ORGANISE.value}))


def draft_of(now: datetime, plan: Plan) -> EventDraft:
    """Return a standing concert that goes on sale in a few seconds, so that the first entrants are drawn."""
    floor = GeneralAdmission("Floor", plan.seats, Money(5000, "USD"), Money(250, "USD"))
    return EventDraft(
        name="Simulated night",
        description="",
        category=None,
        starts_at=now + timedelta(days=30),
        ends_at=None,
        on_sale_at=now + timedelta(seconds=3),
        off_sale_at=None,
        venue=VenueDraft("Hall", None, "Seoul", None, None, None, "Asia/Seoul"),
        performers=(),
        seating_plan=None,
        seating_plan_id=None,
        price_levels=(),
        general_admission=(floor,),
        max_tickets_per_order=8,
        max_tickets_per_person=None,
        orphan_rule=False,
    )


def plot_of(result: Result, plan: Plan) -> str:
    """Draw admitted and waiting people, seats and errors over time."""
    samples = result.samples
    return line_plot(
        f"{plan.people} people, {plan.seats} seats, {plan.per_minute} a minute, {plan.max_active} at once",
        [sample.seconds for sample in samples],
        {
            "admitted": [sample.admitted for sample in samples],
            "waiting": [sample.waiting for sample in samples],
            "shopping": [sample.active for sample in samples],
            "seats left": [sample.seats_left for sample in samples],
            "errors": [sample.errors for sample in samples],
        },
    )
