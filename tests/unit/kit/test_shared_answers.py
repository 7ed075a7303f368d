"""Answers to one event: shared while they are asked for, and bounded."""

from kit.shared_answers import MOST_BYTES, MOST_ENTRIES, SharedAnswers


def test_answers_are_dropped_when_there_are_too_many_questions() -> None:
    answers = SharedAnswers()
    for number in range(MOST_ENTRIES + 1):
        answers.keep(number, "answer", 1)

    assert dict(answers) == {MOST_ENTRIES: "answer"}


def test_answers_are_dropped_when_they_are_too_large_together() -> None:
    answers = SharedAnswers()
    answers.keep("a", b"", MOST_BYTES - 1)
    answers.keep("b", b"", 2)
    answers.keep("c", b"", MOST_BYTES + 1)

    assert dict(answers) == {}
