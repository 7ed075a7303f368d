from domain.outbox import Topic
from services.ordering import outbox


def test_every_topic_has_a_handler() -> None:
    assert set(outbox._HANDLERS) == set(Topic)
