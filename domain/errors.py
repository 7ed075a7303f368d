"""The errors that the code raises on purpose.

    BoxofficeError
    ├── DomainError         the client can act on it: a typed member of the mutation's union
    │   ├── InvalidInput · NotFound · NotOnSale · LimitExceeded · OrphanSeat · NotEnoughSeats
    │   ├── SeatsGone · OrderExpired · OrderNotPayable · PaymentDeclined · IdempotencyMismatch
    │   └── QueueTokenRequired · QueueTokenInvalid · SlowDown · ChallengeRequired
    └── RequestError        a malformed request, a missing right, an unavailable service: GraphQL `errors`
        ├── BadRequest · Unauthenticated · Forbidden · RateLimited
        └── Unavailable · OutcomeUnknown

The docstring of a class is its default message; its `code` is stable and public.
"""

from typing import ClassVar


class BoxofficeError(Exception):
    """Something went wrong."""

    code: ClassVar[str]

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        super().__init__(self.message)


class DomainError(BoxofficeError):
    """The request is valid, but the state of the sale does not allow it."""


class InvalidInput(DomainError):
    """The input does not fit."""

    code = "INVALID_INPUT"


class NotFound(DomainError):
    """There is no such thing, or it is not yours to see."""

    code = "NOT_FOUND"


class NotOnSale(DomainError):
    """This event is not on sale."""

    code = "NOT_ON_SALE"


class LimitExceeded(DomainError):
    """That is more tickets than one order or one person may have."""

    code = "LIMIT_EXCEEDED"

    def __init__(self, message: str, *, limit: int, have: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.have = have


class SlowDown(DomainError):
    """That was too often; please wait a moment."""

    code = "SLOW_DOWN"

    def __init__(self, retry_after_seconds: int, message: str | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class OrphanSeat(DomainError):
    """This choice leaves a single free seat between taken ones; please move over by one."""

    code = "ORPHAN_SEAT"


class NotEnoughSeats(DomainError):
    """There are not that many seats left."""

    code = "NOT_ENOUGH_SEATS"


class SeatsGone(DomainError):
    """Someone was faster: some of these seats are gone."""

    code = "SEATS_UNAVAILABLE"

    def __init__(self, places: tuple[int, ...], alternatives: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.places = places
        self.alternatives = alternatives


class OrderExpired(DomainError):
    """The hold has lapsed and the seats went back on sale."""

    code = "ORDER_EXPIRED"


class OrderNotPayable(DomainError):
    """This order can no longer be paid."""

    code = "ORDER_NOT_PAYABLE"


class PaymentDeclined(DomainError):
    """The card was declined; please try another one."""

    code = "PAYMENT_DECLINED"


class IdempotencyMismatch(DomainError):
    """This idempotency key was used with another input."""

    code = "IDEMPOTENCY_MISMATCH"


class QueueTokenRequired(DomainError):
    """This event has a waiting room: join the queue first."""

    code = "QUEUE_TOKEN_REQUIRED"


class QueueTokenInvalid(DomainError):
    """The queue token is not valid here, or no longer."""

    code = "QUEUE_TOKEN_INVALID"


class ChallengeRequired(DomainError):
    """Solve a challenge first: ask for `challenge`, and send its solution as challengeSolution."""

    code = "CHALLENGE_REQUIRED"


class RequestError(BoxofficeError):
    """The request cannot be answered."""


class BadRequest(RequestError):
    """The request is malformed."""

    code = "BAD_USER_INPUT"


class Unauthenticated(RequestError):
    """Sign in first: this needs a token."""

    code = "UNAUTHENTICATED"


class Forbidden(RequestError):
    """The token does not allow this."""

    code = "FORBIDDEN"


class RateLimited(RequestError):
    """Too many requests; please wait a moment."""

    code = "RATE_LIMITED"


class Unavailable(RequestError):
    """A part of the box office is away for a moment; please try again."""

    code = "UNAVAILABLE"


class OutcomeUnknown(RequestError):
    """It may or may not have happened: ask again with the same idempotency key."""

    code = "OUTCOME_UNKNOWN"
