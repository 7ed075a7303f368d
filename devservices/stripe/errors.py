"""Errors in Stripe's format."""

from devservices.stripe.documents import Document, public


class ApiError(Exception):
    """A response that is not 2xx.

    `saved` tells whether it is stored under the idempotency key: Stripe stores the errors of an operation
    that ran, not those of a request that was rejected before.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        saved: bool = False,
        **more: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.saved = saved
        self.error: Document = {"message": message, "type": kind}
        if code:
            address = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
            self.error |= {"code": code, "doc_url": address}
        if param:
            self.error["param"] = param
        self.error |= more

    def body(self) -> Document:
        """The JSON body of the response."""
        return {"error": public(self.error)}


def invalid_parameter(name: str, message: str, code: str | None = None) -> ApiError:
    return ApiError(400, message, code=code, param=name)


def no_such(noun: str, wanted: str, param: str = "id") -> ApiError:
    message = f"No such {noun}: '{wanted[:60]}'"
    return ApiError(404, message, code="resource_missing", param=param)


def unexpected_state(message: str, intent: Document) -> ApiError:
    code = "payment_intent_unexpected_state"
    return ApiError(400, message, code=code, saved=True, payment_intent=intent)


def key_in_use(key: str) -> ApiError:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably "
        f"means you submitted twice, and the other request is still going through): {key}."
    )
    return ApiError(409, message, kind="idempotency_error", code="idempotency_key_in_use")


def key_mismatch(key: str) -> ApiError:
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different request."
    )
    return ApiError(400, message, kind="idempotency_error")


def key_elsewhere(key: str, first_path: str, path: str) -> ApiError:
    message = (
        "Keys for idempotent requests can only be used for the same endpoint they were first used "
        f"for ('{path}' vs '{first_path}'). Try using a key other than '{key}' if you meant to "
        "execute a different request."
    )
    return ApiError(400, message, kind="idempotency_error")
