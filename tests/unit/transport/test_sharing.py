"""What subscribers share: an event is the same for all, and what is a person's own is never shared."""

import pytest
from graphql import OperationDefinitionNode, parse

from schema.cache_hints import CACHE_HINTS
from schema.schema import schema
from transport import CacheHint
from transport.documents.hints import policy_of

HINTS = {name: CacheHint(*hint) for name, hint in CACHE_HINTS.items()}


@pytest.mark.parametrize(
    ("selection", "private"),
    [
        ('eventUpdated(eventId: "e") { name status venue { name } availability { available } }', False),
        ('eventUpdated(eventId: "e") { orders { totalCount } }', True),
        ('seatAvailability(eventId: "e") { version }', False),
        ('orderUpdated(orderId: "o") { status }', True),
        ('queuePosition(eventId: "e") { position }', True),
    ],
)
def test_update_is_private_when_it_reads_what_is_a_persons_own(selection: str, private: bool) -> None:
    operation = parse(f"subscription {{ {selection} }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    policy = policy_of(schema._schema, operation, {}, HINTS)
    assert (policy.private, policy.shareable) == (private, False)
