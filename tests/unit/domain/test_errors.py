"""The error tree: every class is in the drawing, has a message, and a code of its own."""

import re

import pytest

import domain.errors
from domain.errors import BoxofficeError, DomainError, NotFound, RequestError


def below(parent: type[BoxofficeError]) -> list[type[BoxofficeError]]:
    """The subclasses that domain/errors.py defines."""
    return [each for each in parent.__subclasses__() if each.__module__ == domain.errors.__name__]


CONCRETE = below(DomainError) + below(RequestError)


def test_tree_names_every_class_when_it_is_compared_with_the_module() -> None:
    drawing = [line for line in (domain.errors.__doc__ or "").splitlines() if " · " in line]
    drawn = re.findall(r"[A-Z]\w+", "\n".join(drawing))

    assert sorted(drawn) == sorted(each.__name__ for each in CONCRETE)


def test_code_belongs_to_one_class_when_all_are_listed() -> None:
    codes = [each.code for each in CONCRETE]

    assert len(set(codes)) == len(codes) == 21
    assert all(re.fullmatch(r"[A-Z_]+", code) for code in codes)


@pytest.mark.parametrize("kind", CONCRETE)
def test_docstring_is_a_sentence_when_it_becomes_the_message(kind: type[BoxofficeError]) -> None:
    assert re.fullmatch(r"[A-Z][^\n]+\.", kind.__doc__ or "")


def test_message_is_the_docstring_when_none_is_given() -> None:
    assert NotFound().message == "There is no such thing, or it is not yours to see."
    assert str(NotFound("There is no such event.")) == "There is no such event."
