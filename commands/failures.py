"""Which failures are a refusal: one sentence for the person, not a bug for us."""

from domain.errors import BoxofficeError


def is_refusal(fault: Exception) -> bool:
    """Whether its message is a sentence meant for the person who typed the command."""
    from commands.query import QueryError
    from commands.serving import PortTakenError
    from devservices.part import PartError

    return isinstance(fault, BoxofficeError | PartError | PortTakenError | QueryError)
