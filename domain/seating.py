"""Building a seat map from a seating plan, prices and general-admission sections."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.errors import InvalidInput
from domain.hidden_characters import hidden_character
from domain.layout import Area, AreaShape, PriceLevel, Row, Seat, SeatMap, Section, SectionKind
from domain.layout_document import make_seat_map
from domain.money import Money, check_price
from domain.plan_fields import LONGEST_TEXT, has_control_character, tidy
from domain.seat_kinds import SeatKind, kind_of_category
from domain.seating_plan import Plan, PlanSeat

MOST_CAPACITY = 200_000
MOST_PLACES = 300_000
MOST_GENERAL_SECTIONS = 100

_ROOM_WITHOUT_PLAN = 1_000  # plan units: the width of a map without numbered seats


@dataclass(frozen=True, slots=True)
class PriceInput:
    """The price of a category of the plan, not yet checked."""

    category: str
    price: Money
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class GeneralAdmission:
    """A section without numbered seats, not yet checked."""

    name: str
    capacity: int
    price: Money
    fee: Money | None = None


def build_seat_map(
    event_id: UUID,
    plan: Plan | None,
    prices: Sequence[PriceInput] = (),
    general_admission: Sequence[GeneralAdmission] = (),
) -> SeatMap:
    """The seat map of an event: the plan's zones are its sections, the categories its price levels.

    A category without a price is not for sale: the map is without its seats. A general-admission section of
    a category's name takes its place in the order and its colour. Zones may share a name.

    Raises:
        InvalidInput: with the path of the first fault, e.g. "priceLevels[1].category: ...".
    """
    _check_general_admission(general_admission)
    priced = _check_prices(prices, plan)
    _check_one_currency(prices, general_admission)
    _check_sections(plan, priced, general_admission)
    levels = _category_levels(plan, priced, {tidy(entry.name) for entry in general_admission})
    general_levels = _general_levels(plan, general_admission, len(levels))
    sections = _seated_sections(plan, {level.name: level.number for level in levels})
    sections += _general_sections(general_admission, general_levels, sections)
    width, height = (plan.width, plan.height) if plan else (_ROOM_WITHOUT_PLAN,) * 2
    areas = _areas(plan, sections)
    everything = (*levels, *general_levels)
    focus = plan.focus if plan else None
    return make_seat_map(event_id, width, height, everything, tuple(sections), areas, focus)


def _check_general_admission(entries: Sequence[GeneralAdmission]) -> None:
    if len(entries) > MOST_GENERAL_SECTIONS:
        raise InvalidInput(f"generalAdmission: at most {MOST_GENERAL_SECTIONS} sections.")
    for number, entry in enumerate(entries):
        path = f"generalAdmission[{number}]"
        name = tidy(entry.name)
        if not 1 <= len(name) <= LONGEST_TEXT or has_control_character(name):
            raise InvalidInput(f"{path}.name: must have 1 to {LONGEST_TEXT} printable characters.")
        if hidden := hidden_character(name):
            raise InvalidInput(f"{path}.name: must not have the invisible character {hidden}.")
        if not 1 <= entry.capacity <= MOST_CAPACITY:
            raise InvalidInput(f"{path}.capacity: must be between 1 and {MOST_CAPACITY}.")
        check_price(entry.price, entry.fee, path)


def _check_prices(prices: Sequence[PriceInput], plan: Plan | None) -> dict[str, PriceInput]:
    """The prices by category, checked: each is known, none is twice."""
    counts = plan.seats_by_category() if plan else {}
    priced: dict[str, PriceInput] = {}
    for number, entry in enumerate(prices):
        path, category = f"priceLevels[{number}]", tidy(entry.category)
        if category not in counts:
            raise InvalidInput(f"{path}.category: {_unknown_category(category, counts)}")
        if category in priced:
            raise InvalidInput(f"{path}.category: {category[:80]!r} has two prices.")
        check_price(entry.price, entry.fee, path)
        priced[category] = entry
    return priced


def _check_one_currency(prices: Sequence[PriceInput], general_admission: Sequence[GeneralAdmission]) -> None:
    amounts = [
        (f"{name}[{number}].{kind}.currency", money.currency)
        for name, entries in (("priceLevels", prices), ("generalAdmission", general_admission))
        for number, entry in enumerate[PriceInput | GeneralAdmission](entries)
        for kind, money in (("price", entry.price), ("fee", entry.fee))
        if money is not None
    ]
    for path, currency in amounts:
        if currency != amounts[0][1]:
            raise InvalidInput(f"{path}: an event has one currency, here {amounts[0][1]}.")


def _check_sections(
    plan: Plan | None, priced: dict[str, PriceInput], general_admission: Sequence[GeneralAdmission]
) -> None:
    names: set[str] = set()
    for number, entry in enumerate(general_admission):
        name = tidy(entry.name)
        if name in names:
            raise InvalidInput(f"generalAdmission[{number}].name: there are two sections called {name!r}.")
        names.add(name)
    seats = plan.seats_by_category() if plan else {}
    if not general_admission and not any(seats.values()):
        raise InvalidInput("An event needs a seating plan with seats, or general admission.")
    places = sum(seats[name] for name in priced) + sum(entry.capacity for entry in general_admission)
    if places == 0:
        unpriced = [name for name, count in seats.items() if count]
        raise InvalidInput(f"priceLevels: nothing is for sale: there is no price for {_listed(unpriced)}.")
    if places > MOST_PLACES:
        raise InvalidInput(f"generalAdmission: an event has at most {MOST_PLACES} places in all.")


def _category_levels(
    plan: Plan | None, priced: dict[str, PriceInput], general_names: set[str]
) -> list[PriceLevel]:
    counts = plan.seats_by_category() if plan else {}
    colors = {category.name: category.color for category in plan.categories} if plan else {}
    wanted = [name for name in counts if counts[name] or name not in general_names]
    return [
        _level(number, name, colors[name], priced[name].price, priced[name].fee)
        for number, name in enumerate(name for name in wanted if name in priced)
    ]


def _general_levels(plan: Plan | None, entries: Sequence[GeneralAdmission], first: int) -> list[PriceLevel]:
    colors = {category.name: category.color for category in plan.categories} if plan else {}
    return [
        _level(number, name, colors.get(name), entry.price, entry.fee)
        for number, entry in enumerate(entries, first)
        for name in [tidy(entry.name)]
    ]


def _level(number: int, name: str, color: str | None, price: Money, fee: Money | None) -> PriceLevel:
    return PriceLevel(number, name, color, price, fee or Money(0, price.currency))


def _seated_sections(plan: Plan | None, levels: dict[str, int]) -> list[Section]:
    sections: list[Section] = []
    kinds = {name: kind_of_category(name) for name in levels}
    place = 0
    for zone in plan.zones if plan else ():
        first, rows = place, []
        for row in zone.rows:
            for_sale = (seat for seat in row.seats if seat.category in levels)
            seats = tuple(
                _seat(seat, row.name, index, levels[seat.category], kinds[seat.category])
                for index, seat in enumerate(for_sale, place)
            )
            if seats:
                rows.append(Row(row.name, seats))
            place += len(seats)
        if not rows:
            continue
        section = Section(
            len(sections), zone.name, SectionKind.SEATED, first, place - first, None, tuple(rows)
        )
        sections.append(section)
    return sections


def _seat(seat: PlanSeat, row: str, index: int, level: int, kind: SeatKind) -> Seat:
    return Seat(
        index=index,
        row=row,
        number=seat.number,
        x=seat.x,
        y=seat.y,
        price_level=level,
        accessible=kind is SeatKind.WHEELCHAIR,
        restricted_view=kind is SeatKind.RESTRICTED_VIEW,
        guid=seat.guid,
        companion=kind is SeatKind.COMPANION,
    )


def _general_sections(
    entries: Sequence[GeneralAdmission], levels: list[PriceLevel], before: list[Section]
) -> list[Section]:
    sections: list[Section] = []
    place = before[-1].first_place + before[-1].capacity if before else 0
    for number, (entry, level) in enumerate(zip(entries, levels, strict=True), len(before)):
        kind = SectionKind.GENERAL_ADMISSION
        section = Section(number, level.name, kind, place, entry.capacity, level.number, ())
        sections.append(section)
        place += entry.capacity
    return sections


def _areas(plan: Plan | None, sections: list[Section]) -> tuple[Area, ...]:
    """The areas of the plan, linked to the sections that they show; boxes where there is no plan."""
    general = {s.name: s.number for s in sections if s.kind is SectionKind.GENERAL_ADMISSION}
    if plan is None:
        return _boxes(general)
    drawn = (area for zone in plan.zones for area in zone.areas)
    return tuple(replace(area, section=general.get(area.text)) for area in drawn)


def _boxes(general: dict[str, int]) -> tuple[Area, ...]:
    height = _ROOM_WITHOUT_PLAN / len(general)
    margin = 20
    return tuple(
        Area(
            AreaShape.RECTANGLE,
            x=margin,
            y=position * height + margin / 2,
            width=_ROOM_WITHOUT_PLAN - 2 * margin,
            height=height - margin,
            text=name,
            section=number,
        )
        for position, (name, number) in enumerate(general.items())
    )


def _unknown_category(category: str, known: dict[str, int]) -> str:
    if not known:
        return "without a seating plan there are no categories to price."
    return f"the plan has no category {category[:80]!r}; it has {_listed(list(known))}."


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
