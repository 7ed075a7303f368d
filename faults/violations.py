"""Violations, and the invariants that they belong to."""

from dataclasses import dataclass

INVARIANTS = {
    1: "a seat has at most one live claim",
    2: "an order has all its seats or none",
    3: "captured minus refunded is the price of a booked order, 0 of every other",
    4: "an acknowledged booking survives",
    5: "a webhook delivered N times does what one does; one capture and one refund an attempt",
    6: "terminal states never revert",
    7: "everything in Redis can be rebuilt",
    8: "snapshot plus deltas equals the server's map",
    9: "once quiet, index equals database",
    10: "admissions in use never exceed the cap",
    11: "retrying with the same key converges on one outcome",
    12: "no card data, secret or token in a database, log, index or broadcast",
    13: "live tickets of one person and event never exceed maxTicketsPerPerson",
}
DEFECT = 0
"""No invariant, but always wrong: INTERNAL_SERVER_ERROR in a response, a task that is stuck."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One violation, as a sentence."""

    invariant: int
    text: str
