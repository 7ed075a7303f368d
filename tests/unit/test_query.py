"""`boxoffice query` against a small HTTP server: what is sent, what is printed, and the exit status."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest

from cli import main
from commands.output import json_lines

SECRET = "a-secret-of-this-test-and-of-nothing-else"
STREAM = (
    b": ping\n\n"
    b'event: next\ndata: {"data": {"n": 1}}\n\n'
    b'event: next\ndata: {"errors": [{"message": "no"}]}\n\n'
    b"event: complete\ndata:\n\n"
)


@dataclass
class Endpoint:
    """What the server answers, and the last request that it got."""

    url: str = ""
    status: int = 200
    answer: bytes = b'{"data": {"n": 1}}'
    type: str = "application/graphql-response+json"
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    known = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known.body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            known.headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(known.status)
            self.send_header("content-type", known.type)
            self.end_headers()
            self.wfile.write(known.answer)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}/graphql"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
def document(tmp_path: Path) -> str:
    path = tmp_path / "a.graphql"
    path.write_text("query A($n: Int, $text: String) { n } query B { n }", encoding="utf-8")
    return str(path)


def test_document_and_variables_are_sent_when_both_are_given(
    endpoint: Endpoint, document: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = tmp_path / "more.json"
    more.write_text('{"n": 1, "kept": {"deep": true}}', encoding="utf-8")

    values = ["n=2", "text=velvet = switchbord", "nothing=null", 'quoted="7"']
    command = ["query", document, *values, "--variables", str(more), "--operation", "A"]
    status = main([*command, "--url", endpoint.url, "--token", "t"])

    assert status == 0
    assert json.loads(capsys.readouterr().out) == {"data": {"n": 1}}
    assert endpoint.body == {
        "query": Path(document).read_text(encoding="utf-8"),
        "operationName": "A",
        "variables": {
            "n": 2,
            "kept": {"deep": True},
            "text": "velvet = switchbord",
            "nothing": None,
            "quoted": "7",
        },
    }
    assert endpoint.headers["authorization"] == "Bearer t"
    assert endpoint.headers["accept"] == "application/graphql-response+json, application/json"


def test_token_is_signed_when_a_user_is_named(
    endpoint: Endpoint, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXOFFICE_JWT_SECRET", SECRET)

    caller = ["--user", "ann", "--scope", "organise", "--scope", "buy"]
    assert main(["query", document, "--url", endpoint.url, *caller]) == 0

    token = endpoint.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["scope"]) == ("ann", "organise buy")


def test_no_token_is_sent_when_nobody_is_named(endpoint: Endpoint, document: str) -> None:
    assert main(["query", document, "--url", endpoint.url]) == 0

    assert "authorization" not in endpoint.headers


def test_status_is_one_when_the_answer_has_errors(
    endpoint: Endpoint, document: str, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.status, endpoint.answer = 400, b'{"errors": [{"message": "no"}]}'

    assert main(["query", document, "--url", endpoint.url]) == 1
    assert json.loads(capsys.readouterr().out) == {"errors": [{"message": "no"}]}


def test_messages_are_printed_by_line_when_it_is_a_subscription(
    endpoint: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.graphql").write_text("subscription { n }", encoding="utf-8")
    endpoint.type, endpoint.answer = "text/event-stream; charset=utf-8", STREAM

    assert main(["query", str(tmp_path / "s.graphql"), "--url", endpoint.url]) == 1
    assert capsys.readouterr().out.splitlines() == ['{"data": {"n": 1}}', '{"errors": [{"message": "no"}]}']
    assert endpoint.headers["accept"] == "text/event-stream"

    assert main(["query", str(tmp_path / "s.graphql"), "--url", endpoint.url, "--max", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == ['{"data": {"n": 1}}']


def test_refusal_is_printed_when_a_subscription_is_refused(
    endpoint: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.graphql").write_text("subscription { n }", encoding="utf-8")
    endpoint.status, endpoint.answer = 401, b'{"errors": [{"message": "no"}]}'

    assert main(["query", str(tmp_path / "s.graphql"), "--url", endpoint.url]) == 1
    assert json.loads(capsys.readouterr().out) == {"errors": [{"message": "no"}]}


@pytest.mark.parametrize("answer", [b"<html></html>", b"[]", b'{"status": "ok"}'])
def test_one_sentence_when_the_address_is_no_graphql_endpoint(
    endpoint: Endpoint, document: str, answer: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.status, endpoint.answer = 404, answer

    assert main(["query", document, "--url", endpoint.url]) == 2
    sentence = f"{endpoint.url} answered 404 without a GraphQL result: is it the right address?\n"
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["/nope.graphql"], "/nope.graphql cannot be read: No such file or directory."),
        (["{document}", "n"], "'n' is not NAME=VALUE."),
        (["{document}", "=1"], "'=1' is not NAME=VALUE."),
        (
            ["{document}", "--variables", "{document}"],
            "{document} must hold one JSON object: the variables by name.",
        ),
        (
            ["{document}", "--url", "http://127.0.0.1:1/graphql"],
            "http://127.0.0.1:1/graphql does not answer (",
        ),
        (["{document}", "--url", "nowhere"], "nowhere does not answer ("),
    ],
)
def test_one_sentence_when_nothing_can_be_sent(
    arguments: list[str], sentence: str, document: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", *(each.format(document=document) for each in arguments)]) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(sentence.format(document=document))
    assert len(shown.err.splitlines()) == 1


def test_short_values_share_a_line_when_json_is_printed() -> None:
    value = {"a": {"b": [1, 2]}, "long": ["x" * 20, {"y": "y" * 20}], "empty": {}}

    assert json_lines(value, width=40).splitlines() == [
        "{",
        '  "a": {"b": [1, 2]},',
        '  "long": [',
        f'    "{"x" * 20}",',
        f'    {{"y": "{"y" * 20}"}}',
        "  ],",
        '  "empty": {}',
        "}",
    ]
    assert json.loads(json_lines(value, width=40)) == value
