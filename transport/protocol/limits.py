"""The public limits of a server for each client."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound in one place; docs/ publishes these figures."""

    # The request
    body_bytes: int = 1_000_000
    variable_values: int = 10_000
    variable_depth: int = 32

    # The document, before anything is resolved
    document_bytes: int = 64_000
    tokens: int = 1_500
    depth: int = 15
    aliases: int = 100
    directives: int = 50
    fragments: int = 50
    operations: int = 10
    fragment_uses: int = 200
    """Operations times fragments: validation walks each fragment once for each operation."""
    comments: int = 500
    merging: int = 10_000
    """Fields of an answer and pairs of equal response names that validation has to compare."""

    cost: int = 20_000
    """Fields an answer may hold, lists counted by the size asked for."""
    assumed_list_size: int = 10
    """The assumed length of a list without first, limit or pageSize."""

    # Connections
    init_seconds: float = 10.0
    keep_alive_seconds: float = 12.0
    silence_seconds: float = 60.0
    """A WebSocket client that sends nothing for so long, not even a pong, is dropped."""
    send_seconds: float = 30.0
    """A client that reads no byte for so long is dropped."""
    operations_per_connection: int = 100
    operation_id_bytes: int = 128
    init_bytes: int = 16_384
    """The payload of connection_init."""
    reservation_seconds: float = 60.0
    connections_per_network: int = 0
    """Sockets and event streams, reserved ones too, that one network has open at a process; 0 is no bound."""

    subscription_cost: int = 20_000
    """The cost of all subscriptions of one connection together: what one event may make the server write."""
    held_bytes: int = 256_000_000
    """The memory that all connections may hold beyond their allowance (overload/memory_budget.py)."""
    held_bytes_per_network: int = 64_000_000

    # What the budgets of a minute are charged for, beside the cost of operations
    reservation_cost: int = 100
    """An event stream that is reserved."""
    refused_document_cost: int = 10
    free_document_characters: int = 200
    characters_per_cost: int = 10
    """A document that is not in the cache costs 1 for so many characters beyond the free ones."""

    # Caches, entries each
    documents: int = 1_000
    document_cache_bytes: int = 32_000_000
    """The estimated memory of each cache of documents, or of what is derived from them."""
    responses: int = 2_000
    response_bytes: int = 64_000_000
