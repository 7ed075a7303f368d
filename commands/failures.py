"""Tells expected failures, shown as one sentence, from bugs."""

from domain.errors import BoxofficeError


def is_refusal(fault: Exception) -> bool:
    """Return whether the exception's message is a sentence for the user of the command."""
    from commands.query import QueryError
    from commands.serve import PortTakenError
    from devservices.part import PartError

    return isinstance(fault, BoxofficeError | PartError | PortTakenError | QueryError)
