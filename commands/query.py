"""`boxoffice query`: sends a GraphQL document from a file and prints the answer."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLSyntaxError, OperationType, get_operation_ast, parse

from commands.banner import shown_host
from commands.configuration import settings_of_running
from commands.output import json_lines, line
from commands.tokens import token_for, with_own_secret
from settings import Settings

ANSWER_SECONDS = 60.0
QUERY_TYPES = "application/graphql-response+json, application/json"
STREAM_TYPE = "text/event-stream"


class QueryError(Exception):
    """The request cannot be made or has no GraphQL answer; the message is one sentence."""


def query(arguments: argparse.Namespace) -> int:
    """Prints the answer, of a subscription each answer on a line; 1 when one has errors.

    Raises:
        QueryError: when a file cannot be read, a variable is malformed, or nothing answers.
        SettingsError: when a token cannot be signed here.
    """
    document = read_text(arguments.file)
    body = {"query": document, "variables": variables_of(arguments.variables, arguments.values)}
    if arguments.operation:
        body["operationName"] = arguments.operation
    settings = settings_of_running(arguments.data_dir)
    url = arguments.url or f"http://{shown_host(settings.host)}:{settings.port}/graphql"
    token = arguments.token or signed_token(settings, arguments.user, arguments.scope)
    if is_subscription(document, arguments.operation):
        return print_stream(url, body, token, arguments.max)
    return print_answer(url, body, token)


def read_text(file: str) -> str:
    """A file's text; `-` is standard input."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as fault:
        raise QueryError(f"{file} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise QueryError(f"{file} cannot be read: it is not UTF-8 text.") from None


def variables_of(file: str | None, values: Sequence[str]) -> dict[str, Any]:
    """The variables of a JSON file, and over them those that are given as NAME=VALUE."""
    found: object = json_of(read_text(file)) if file else {}
    if not isinstance(found, dict):
        raise QueryError(f"{file} must hold one JSON object: the variables by name.")
    for text in values:
        name, equals, value = text.partition("=")
        if not (equals and name.isidentifier()):
            raise QueryError(f"{text!r} is not NAME=VALUE.")
        parsed = json_of(value)
        found[name] = value if parsed is None and value != "null" else parsed
    return found


def json_of(text: str) -> object:
    """Return the text's value as JSON; None where it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def signed_token(settings: Settings, user: str | None, scopes: Sequence[str] | None) -> str | None:
    """A token for this user, signed as `boxoffice token` does; none where nobody is named."""
    if user is None:
        return None
    return token_for(with_own_secret(settings), user, scopes=scopes or ["buy"])


def is_subscription(document: str, operation: str | None) -> bool:
    """Return whether the document has a subscription; a document that does not parse is sent as it is."""
    try:
        node = get_operation_ast(parse(document), operation)
    except GraphQLSyntaxError:
        return False
    return node is not None and node.operation is OperationType.SUBSCRIPTION


def print_answer(url: str, body: dict[str, Any], token: str | None) -> int:
    try:
        answer = httpx.post(url, json=body, headers=headers(QUERY_TYPES, token), timeout=ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise no_answer(url, fault) from None
    result = graphql_result(url, answer)
    line(json_lines(result))
    return 1 if result.get("errors") else 0


def print_stream(url: str, body: dict[str, Any], token: str | None, most: int | None) -> int:
    """Prints each message until the server ends the stream or `most` are printed."""
    status = 0
    try:
        with httpx.stream(
            "POST", url, json=body, headers=headers(STREAM_TYPE, token), timeout=ANSWER_SECONDS
        ) as answer:
            if not answer.headers.get("content-type", "").startswith(STREAM_TYPE):
                answer.read()
                line(json_lines(graphql_result(url, answer)))
                return 1
            for number, message in enumerate(messages(answer.iter_lines()), 1):
                line(json.dumps(message, ensure_ascii=False))
                status = 1 if message.get("errors") else status
                if number == most:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise no_answer(url, fault) from None
    return status


def messages(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The results in an event stream's `next` events."""
    event = ""
    for text in lines:
        field, _, value = text.partition(":")
        if field == "event":
            event = value.strip()
        elif field == "data" and event == "next":
            yield json.loads(value)


def headers(accept: str, token: str | None) -> dict[str, str]:
    return {"accept": accept, **({"authorization": f"Bearer {token}"} if token else {})}


def graphql_result(url: str, answer: httpx.Response) -> dict[str, Any]:
    """The GraphQL result in an answer.

    Raises:
        QueryError: when it holds none.
    """
    result = json_of(answer.text)
    if not isinstance(result, dict) or not {"data", "errors"} & result.keys():
        raise QueryError(
            f"{url} answered {answer.status_code} without a GraphQL result: is it the right address?"
        )
    return result


def no_answer(url: str, fault: Exception) -> QueryError:
    reason = str(fault) or type(fault).__name__
    return QueryError(
        f"{url} does not answer ({reason}): start it with `make run`, or name another with --url."
    )
