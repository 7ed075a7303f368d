"""The memory that connections share: allowance, total, the share of a network, documents."""

from transport.overload.memory_budget import (
    ALLOWANCE_BYTES,
    ConnectionMemory,
    DocumentsInUse,
    MemoryBudget,
)


def test_nothing_is_charged_when_a_connection_stays_within_its_allowance() -> None:
    budget = MemoryBudget(0, 0)
    memory = ConnectionMemory(budget, "a")

    assert memory.take(ALLOWANCE_BYTES)
    assert not memory.take(1)
    assert budget.taken_bytes == 0


def test_only_the_excess_is_charged_and_given_back_when_a_connection_holds_more() -> None:
    budget = MemoryBudget(1_000, 1_000)
    memory = ConnectionMemory(budget, "a")
    assert memory.take(ALLOWANCE_BYTES - 100)
    assert memory.take(400)
    assert budget.taken_bytes == 300

    memory.release(250)
    assert budget.taken_bytes == 50
    assert memory.take(250)
    memory.release(ALLOWANCE_BYTES)
    assert budget.taken_bytes == 0


def test_a_network_is_refused_when_its_share_is_spent_and_another_is_not() -> None:
    budget = MemoryBudget(1_000, 600)

    assert budget.take("a", 600)
    assert not budget.take("a", 1)
    assert budget.take("b", 400)
    assert not budget.take("b", 1), "the total is spent"
    budget.release("a", 600)
    assert budget.take(None, 600), "a connection without a network has no share"
    assert not budget.take("a", 1)


def test_nothing_stays_charged_when_a_connection_is_closed() -> None:
    budget = MemoryBudget(1_000, 1_000)
    memory = ConnectionMemory(budget, "a")
    assert memory.take(ALLOWANCE_BYTES + 700)
    memory.close()
    memory.release(ALLOWANCE_BYTES + 700)
    assert memory.take(10_000_000)

    assert budget.taken_bytes == 0


def test_a_document_is_charged_once_when_many_subscriptions_use_it() -> None:
    budget = MemoryBudget(1_000, 1_000)
    documents = DocumentsInUse(budget)

    assert documents.take("d", 900, "a")
    assert documents.take("d", 900, "b")
    assert not documents.take("e", 200, "b")
    documents.release("d")
    assert budget.taken_bytes == 900
    documents.release("d")
    assert budget.taken_bytes == 0
