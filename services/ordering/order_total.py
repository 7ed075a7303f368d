"""The sum of an order, checked before anything is held: Stripe refuses what is too much or too little."""

from collections.abc import Iterable

from domain.currencies import charge_limits
from domain.errors import InvalidInput
from domain.layout import SeatMap
from domain.money import Money
from reservations.outcomes import Candidate
from services.ordering.selection import ExactSeats, GeneralAdmission, Selection


def check_sum(selection: Selection, seat_map: SeatMap) -> None:
    """Check the sum of a selection whose price is known before the hold; the best seats' is not.

    Raises:
        InvalidInput: No card can be charged so much at once, or so little.
    """
    if isinstance(selection, ExactSeats):
        check_charge(_sum(seat_map, selection.places), len(selection.places))
    elif isinstance(selection, GeneralAdmission):
        place = seat_map.sections[selection.section].first_place
        one = seat_map.price_level_of(place).total
        check_charge(Money(one.amount * selection.quantity, one.currency), selection.quantity)


def chargeable(seat_map: SeatMap, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates whose sum a card can be charged; all prices of an event may be too high together.

    Raises:
        InvalidInput: There are candidates, and none can be charged.
    """
    sums = [_sum(seat_map, each.places) for each in candidates]
    found = [each for each, total in zip(candidates, sums, strict=True) if _fault(total) is None]
    if candidates and not found:
        check_charge(sums[0], len(candidates[0].places))
    return found


def check_charge(total: Money, quantity: int) -> None:
    """Check an order's sum, which older events may have priced as no card can be charged.

    Raises:
        InvalidInput: With a sentence that names the sum and the limit.
    """
    fault = _fault(total)
    if fault is not None:
        tickets = "1 ticket comes" if quantity == 1 else f"{quantity} tickets come"
        raise InvalidInput(f"{tickets} to {total}, fees included: {fault}")


def _fault(total: Money) -> str | None:
    limits = charge_limits(total.currency)
    if total.amount % limits.step_minor:
        return f"{total.currency} is charged in steps of {Money(limits.step_minor, total.currency)}."
    if total.is_too_much_to_charge:
        return f"one order can be charged {Money(limits.most_minor, total.currency)} at most."
    if total.is_too_little_to_charge:
        return f"a card can be charged {Money(limits.least_minor, total.currency)} at least."
    return None


def _sum(seat_map: SeatMap, places: Iterable[int]) -> Money:
    amount = sum(seat_map.price_level_of(place).total.amount for place in places)
    return Money(amount, seat_map.currency)
