"""What a client may read of an error."""

import logging

import asyncpg
import pytest
from graphql import GraphQLError

from domain.errors import Forbidden, NotFound
from schema.errors import public_error


def error_of(cause: Exception) -> GraphQLError:
    return GraphQLError(str(cause), path=["me"], original_error=cause)


def test_a_known_error_keeps_its_code_and_sentence() -> None:
    shown = public_error(error_of(Forbidden("This event is another organiser's.")))

    assert shown["message"] == "This event is another organiser's."
    assert shown["extensions"] == {"code": "FORBIDDEN"}
    assert shown["path"] == ["me"]


def test_a_refusal_outside_a_mutation_keeps_its_code() -> None:
    assert public_error(error_of(NotFound()))["extensions"] == {"code": "NOT_FOUND"}


def test_graphqls_own_errors_are_bad_input_unless_they_say_more() -> None:
    assert public_error(GraphQLError("no"))["extensions"] == {"code": "BAD_USER_INPUT"}
    named = GraphQLError("no", extensions={"code": "GRAPHQL_VALIDATION_FAILED"})
    assert public_error(named)["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


def test_a_database_that_is_away_is_unavailable() -> None:
    assert public_error(error_of(asyncpg.CannotConnectNowError("starting")))["extensions"] == {
        "code": "UNAVAILABLE"
    }


def test_a_bug_is_masked_and_logged_by_its_id(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        shown = public_error(error_of(KeyError("password=hunter2")))

    assert shown["message"] == "Internal error"
    assert shown["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert shown["extensions"]["logId"] in caplog.text
    assert "hunter2" not in str(shown)
