"""The inputs of mutations."""

from datetime import datetime

import strawberry

from schema.scalars import MinorUnits

_KEY = (
    "The same key with the same input changes nothing again and answers the same; with another input, "
    "IDEMPOTENCY_MISMATCH. Kept 24 h."
)


@strawberry.input(description="An amount of one currency")
class MoneyInput:
    amount: MinorUnits = strawberry.field(description="Minor units (cents, won): 4550 USD is $45.50")
    currency: str = strawberry.field(description="ISO 4217")


@strawberry.input(description="A buyer without an account")
class CreateGuestSessionInput:
    email: str = strawberry.field(description="Where the tickets go")
    name: str | None = strawberry.field(default=None, description="Printed on the tickets")
    challenge_solution: str | None = strawberry.field(
        default=None,
        description="The solved `challenge` as ALTCHA's base64 payload; CHALLENGE_REQUIRED without",
    )


@strawberry.input(description="Where an event takes place")
class VenueInput:
    name: str = strawberry.field(description="1 to 200 characters")
    address: str | None = strawberry.field(default=None, description="Street and number")
    city: str = strawberry.field(description="1 to 200 characters")
    country: str | None = strawberry.field(default=None, description="Name or ISO 3166 code")
    lat: float | None = strawberry.field(default=None, description="Degrees north, together with lng")
    lng: float | None = strawberry.field(default=None, description="Degrees east, together with lat")
    timezone: str = strawberry.field(description="IANA name, e.g. Asia/Seoul")


@strawberry.input(description="The price of a category of the seating plan")
class PriceLevelInput:
    category: str = strawberry.field(description="As the plan calls it")
    price: MoneyInput = strawberry.field(
        description="What a ticket costs, without the fee. Together they are 0, or what a card can be "
        "charged in this currency (docs/limits.md)"
    )
    fee: MoneyInput | None = strawberry.field(default=None, description="Added to each ticket; left out: 0")


@strawberry.input(description="A section without numbered seats")
class GeneralAdmissionSectionInput:
    name: str = strawberry.field(description="Also the name of the plan's area that it is drawn as, if any")
    capacity: int = strawberry.field(description="How many tickets there are")
    price: MoneyInput = strawberry.field(
        description="What a ticket costs, without the fee. Together they are 0, or what a card can be "
        "charged in this currency (docs/limits.md)"
    )
    fee: MoneyInput | None = strawberry.field(default=None, description="Added to each ticket; left out: 0")


@strawberry.input(description="A new event; it starts as a draft")
class CreateEventInput:
    name: str = strawberry.field(description="1 to 200 characters")
    description: str | None = strawberry.field(default="", description="Plain text, up to 20,000 characters")
    category: str | None = strawberry.field(default=None, description="E.g. concert, theatre, sports")
    starts_at: datetime = strawberry.field(description="When it begins")
    ends_at: datetime | None = strawberry.field(default=None, description="Later than startsAt")
    on_sale_at: datetime | None = strawberry.field(
        default=None, description="When the sale opens; left out: with the publication"
    )
    off_sale_at: datetime | None = strawberry.field(
        default=None, description="When the sale closes, later than onSaleAt; left out: when it is over"
    )
    venue: VenueInput = strawberry.field(description="Where it takes place")
    performers: list[str] | None = strawberry.field(default_factory=list, description="In billing order")
    seating_plan: str | None = strawberry.field(
        default=None,
        description="A seating plan in pretix's open format (seats.pretix.eu), as JSON text. A request has "
        "at most 1 MB: import a larger plan first (boxoffice import plan FILE) and give its seatingPlanId",
    )
    seating_plan_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Instead of seatingPlan: a plan that boxoffice import plan FILE has stored; it prints "
        "this id (pln_...). The way for plans above 1 MB",
    )
    price_levels: list[PriceLevelInput] | None = strawberry.field(
        default_factory=list,
        description="The prices of the plan's categories; a category without a price is not for sale",
    )
    general_admission: list[GeneralAdmissionSectionInput] | None = strawberry.field(
        default_factory=list, description="Sections without numbered seats, beside or instead of a plan"
    )
    max_tickets_per_order: int | None = strawberry.field(default=8, description="1 to 100")
    max_tickets_per_person: int | None = strawberry.field(
        default=None, description="1 to 10,000, over all orders of a person. Left out: maxTicketsPerOrder"
    )
    orphan_rule: bool | None = strawberry.field(
        default=True,
        description="Refuse orders that leave a single free seat between taken ones, where avoidable",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(
    description="What changes; what is left out stays. Null clears category, endsAt, onSaleAt and offSaleAt"
)
class UpdateEventInput:
    event_id: strawberry.ID = strawberry.field(description="The caller's own event")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="1 to 200 characters")
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="Plain text, up to 20,000 characters"
    )
    category: str | None = strawberry.field(default=strawberry.UNSET, description="E.g. concert")
    starts_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When it begins")
    ends_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="Later than startsAt")
    on_sale_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the sale opens"
    )
    off_sale_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the sale closes, later than onSaleAt"
    )
    max_tickets_per_order: int | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 100; orders that are there stay"
    )
    max_tickets_per_person: int | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 10,000; orders that are there stay, and count"
    )
    notify_buyers: bool | None = strawberry.field(
        default=False,
        description="True allows a new startsAt where tickets are sold; without it that is INVALID_INPUT. "
        "No mail is sent yet: tell the buyers yourself",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="One of the caller's own events")
class EventIdInput:
    event_id: strawberry.ID = strawberry.field(description="Event.id")


@strawberry.input(description="Seats to take out of the sale, or to put back")
class BlockSeatsInput:
    event_id: strawberry.ID = strawberry.field(description="The caller's own event")
    seat_ids: list[strawberry.ID] = strawberry.field(description="Seat.id of each; all or none change")
    blocked: bool = strawberry.field(description="True takes them out, false puts them back")


@strawberry.input(description="The settings of an event's waiting room")
class ConfigureWaitingRoomInput:
    event_id: strawberry.ID = strawberry.field(description="The caller's own event")
    enabled: bool = strawberry.field(description="Whether reserve and pay want an admission")
    admit_per_minute: int | None = strawberry.field(default=600, description="Admissions a minute at most")
    max_active: int | None = strawberry.field(default=2000, description="People shopping at once")
    admission_seconds: int | None = strawberry.field(default=600, description="Seconds an admission lasts")
    pre_queue_seconds: int | None = strawberry.field(
        default=86_400, description="Seconds before the sale from which people may join; up to 30 days"
    )


@strawberry.input(description="Money back, in full or by ticket")
class RefundOrderInput:
    order_id: strawberry.ID | None = strawberry.field(
        default=None, description="A booked order for the caller's own event; or give its reference"
    )
    reference: str | None = strawberry.field(
        default=None, description="Order.reference, in place of orderId: exactly one of the two"
    )
    ticket_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Ticket.id of each; left out: all that are left"
    )
    reason: str | None = strawberry.field(default=None, description="For the books, up to 500 characters")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="The house chooses: seats side by side where it still allows it")
class BestAvailableInput:
    quantity: int = strawberry.field(description="How many seats")
    price_level_id: strawberry.ID | None = strawberry.field(default=None, description="At this price")
    section_id: strawberry.ID | None = strawberry.field(default=None, description="In this section")
    accessible: bool | None = strawberry.field(
        default=False, description="A place for a wheelchair and, for the others, companion seats beside it"
    )


@strawberry.input(description="Places of a section without numbered seats")
class GeneralAdmissionInput:
    section_id: strawberry.ID = strawberry.field(description="A general-admission section")
    quantity: int = strawberry.field(description="How many places")


@strawberry.input(one_of=True, description="Which places: exactly one of these")
class SelectionInput:
    seat_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="These seats and no others"
    )
    best_available: BestAvailableInput | None = strawberry.field(
        default=strawberry.UNSET, description="Seats side by side where the house still allows it"
    )
    general_admission: GeneralAdmissionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Places without numbers"
    )


@strawberry.input(description="What to hold")
class ReserveInput:
    event_id: strawberry.ID = strawberry.field(description="An event that is on sale")
    selection: SelectionInput = strawberry.field(description="Which places")
    queue_token: str | None = strawberry.field(
        default=None, description="From QueueEntry.admission, where the event's waiting room is on"
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="The same key with the same input answers the same order; with another input, "
        "IDEMPOTENCY_MISMATCH. Kept 24 h.",
    )


@strawberry.input(description="How to pay")
class PayInput:
    order_id: strawberry.ID = strawberry.field(description="The caller's own order, RESERVED or PAYING")
    payment_method_id: str | None = strawberry.field(
        default=None,
        description="A Stripe payment method (pm_...). Left out, the client confirms with clientSecret and "
        "Stripe.js",
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description=f"The same key tries the same card once. {_KEY}"
    )


@strawberry.input(description="The order whose places are given back")
class ReleaseOrderInput:
    order_id: strawberry.ID = strawberry.field(description="The caller's own order, RESERVED or PAYING")


@strawberry.input(description="The ticket to issue anew")
class ReissueTicketInput:
    ticket_id: strawberry.ID = strawberry.field(
        description="Of the caller's order, or of their event; ISSUED"
    )


@strawberry.input(description="The line to join")
class JoinQueueInput:
    event_id: strawberry.ID = strawberry.field(description="An event with a waiting room")
    challenge_solution: str | None = strawberry.field(
        default=None,
        description="The solved `challenge` as ALTCHA's base64 payload; CHALLENGE_REQUIRED without, unless "
        "the caller has a place already",
    )


@strawberry.input(description="The line to leave")
class LeaveQueueInput:
    event_id: strawberry.ID = strawberry.field(description="An event with a waiting room")
