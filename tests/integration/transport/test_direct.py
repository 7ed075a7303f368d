"""The short way on real sockets: it answers what the long way answers, and nobody another's answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.transport.clients import until
from tests.transport.house import ADA, BOB, ME, answered, bodies, house, raw_post, whole_post
from tests.transport.toy import Context, rights_of
from transport import ServerOptions


def shown(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """All of a response but its date."""
    headers = {name: value for name, value in response.headers.items() if name != "date"}
    return response.status_code, headers, response.content


@pytest.mark.parametrize(
    ("method", "query", "headers", "way"),
    [
        ("GET", "{ hello }", {}, "short"),
        ("POST", "{ hello }", {}, "short"),
        ("GET", "{ hello }", ADA, "short"),
        ("GET", "{ me { name } }", ADA, "short"),
        ("POST", "{ ratio(of: 2.5) }", ADA, "short"),
        ("GET", "{ hello boom }", {}, "short"),
        ("POST", "{ ratio(of: 1) boom }", {}, "short"),
        ("GET", "{ large }", {"accept-encoding": "gzip"}, "short"),
        ("POST", "{ large }", {"accept-encoding": "br"}, "short"),
        ("GET", "{ large }", {"accept-encoding": "identity"}, "short"),
        ("GET", "{ hello }", {"if-none-match": "*"}, "short"),
        ("GET", "{ hello }", {"if-none-match": '"other"'}, "short"),
        ("GET", "{ hello }", {"accept": "application/graphql-response+json"}, "short"),
        ("GET", "{ hello }", {"accept": "text/event-stream"}, "long"),
        ("GET", "{ hello }", {"accept": "text/plain"}, "long"),
        ("GET", "{ hello }", {"authorization": "Bearer bad"}, "task"),
        ("POST", "{ hello }", {"content-type": "text/plain"}, "long"),
        ("POST", "{ hello }", {"content-encoding": "gzip"}, "long"),
        ("POST", "{ ratio(of: 1) }", {"x-graphql-cost": "1"}, "short"),
        ("POST", "{ ratio(of: 1) calls }", {}, "task"),
        ("GET", "mutation { bump }", {}, "task"),
        ("POST", "mutation { bump }", ADA, "task"),
        ("POST", "mutation { bump }", {"x-request-id": "mine"}, "long"),
        ("POST", "{ nope }", {}, "task"),
        ("POST", "{ hello ", {"accept": "application/graphql-response+json"}, "task"),
        ("POST", "subscription { updates { version } }", {}, "task"),
    ],
)
async def test_the_short_way_answers_the_same_when_it_is_taken(
    method: str, query: str, headers: dict[str, str], way: str
) -> None:
    async def asked(short: bool) -> tuple[list[Any], list[str]]:
        async with house(short=short) as here:
            answers = []
            for _ in range(3):
                if method == "GET":
                    response = await here.client.get("/graphql", params={"query": query}, headers=headers)
                else:
                    response = await here.post(json.dumps({"query": query}), headers)
                answers.append(shown(response))
        return answers, here.seen.ways

    by_short, ways = await asked(short=True)
    by_long, _ = await asked(short=False)

    assert _without_ids(by_short) == _without_ids(by_long)
    assert ways[0] == ("long" if way == "long" else "task")
    assert ways[-1] == way


def _without_ids(answers: list[Any]) -> str:
    """Answers as text, without what is drawn anew for each error."""
    text = repr(answers)
    while '"logId":"' in text:
        before, _, after = text.partition('"logId":"')
        text = before + after[17:]
    return text


async def test_everybody_reads_what_is_their_own_when_their_requests_are_the_same_bytes() -> None:
    async with house() as here:
        answers = []
        for _ in range(5):
            for headers in (ADA, BOB, {}):
                answer = (await here.post(ME, headers)).json()["data"]
                answers.append(answer["me"] and answer["me"]["name"])

    assert answers == ["ada", "bob", None] * 5
    assert here.seen.ways[0] == "task"
    assert set(here.seen.ways[1:]) == {"short"}


async def test_a_kept_answer_is_not_given_to_others_when_their_rights_differ() -> None:
    def rights(context: Context) -> str | None:
        return None if context.user == "ada" else "public"

    options = ServerOptions(rights=rights, compiled=True)
    body = '{"query":"{ calls }"}'
    async with house(options=options) as here:
        shared = [(await here.post(body, headers)).json()["data"]["calls"] for headers in ({}, BOB, {}, BOB)]
        own = [(await here.post(body, ADA)).json()["data"]["calls"] for _ in range(2)]
        shared_again = (await here.post(body, BOB)).json()["data"]["calls"]

    assert (shared, own, shared_again) == ([1, 1, 1, 1], [2, 3], 1)


async def test_update_shows_at_once_when_the_data_version_changes() -> None:
    async with house() as here:
        world = here.world
    options = ServerOptions(rights=rights_of, data_version=lambda *_: world.data_version, compiled=True)
    async with house(options=options) as here:
        before = [(await here.client.get("/graphql?query={calls}")).text for _ in range(3)]
        world.data_version += 1
        after = (await here.client.get("/graphql?query={calls}")).text

    assert set(before) == {'{"data":{"calls":1}}'}
    assert after == '{"data":{"calls":2}}'


async def test_who_is_refused_on_the_long_way_is_refused_when_others_were_answered_shortly() -> None:
    async with house() as here:
        answers = [await here.post(ME, headers) for headers in ({}, {}, {"authorization": "Bearer bad"}, {})]

    assert [answer.status_code for answer in answers] == [200, 200, 401, 200]


async def test_nothing_is_answered_shortly_when_it_has_to_be_admitted_first() -> None:
    admitted = []

    async def admit(context: Context, *_: Any) -> None:
        admitted.append(context.user)

    options = ServerOptions(rights=rights_of, admit=admit, compiled=True)
    async with house(options=options) as here:
        for _ in range(3):
            await here.post('{"query":"{ me { name } }"}', ADA)

    assert admitted == ["ada"] * 3
    assert here.seen.ways == ["task"] * 3


async def test_a_body_is_read_whole_when_it_comes_in_pieces_chunked_or_large() -> None:
    query = b'{"query":"{ ratio(of: 3) }"}'
    large = query[:-1] + b" " * 40_000 + b"}"
    async with house() as here:
        await here.post(query.decode())
        reader, writer = await here.connect()
        whole = raw_post(query, f"content-length: {len(query)}")
        for piece in (whole[:50], whole[50:-5], whole[-5:]):
            writer.write(piece)
            await writer.drain()
        in_pieces = await bodies(reader, 1)
        writer.write(raw_post(b"1c\r\n" + query + b"\r\n0\r\n\r\n", "transfer-encoding: chunked"))
        chunked = await bodies(reader, 1)
        writer.write(raw_post(large, f"content-length: {len(large)}"))
        in_large = await bodies(reader, 1)
        writer.close()

    assert len(query) == 0x1C
    assert in_pieces == chunked == in_large == [b'{"data":{"ratio":3.0}}']


async def test_the_long_way_says_goodbye_when_the_process_is_stopping() -> None:
    async with house() as here:
        await here.post(ME)
        await here.post(ME)
        here.admission.draining = True
        await here.post(ME)

    assert here.seen.ways == ["task", "short"]


async def test_a_quick_request_is_answered_in_its_turn_when_it_follows_a_slow_one() -> None:
    slow, fast = whole_post("{ ratio(of: 1) calls }"), whole_post("{ ratio(of: 2) }")
    async with house() as here:
        reader, writer = await here.connect()
        for _ in range(2):
            await answered(reader, writer, fast)
            await answered(reader, writer, slow)
        here.world.gate = asyncio.Event()
        writer.write(slow)
        await until(lambda: here.world.calls == 3)
        writer.write(fast)
        other_reader, other_writer = await here.connect()
        other = await answered(other_reader, other_writer, fast)
        here.world.gate.set()
        answers = await bodies(reader, 2)
        writer.close()
        other_writer.close()

    assert answers == [b'{"data":{"ratio":1.0,"calls":3}}', other]
    assert other == b'{"data":{"ratio":2.0}}'


async def test_an_idle_connection_is_closed_when_its_requests_took_the_fast_path() -> None:
    request = whole_post("{ ratio(of: 5) }")
    async with house(keep_alive_seconds=1) as here:
        reader, writer = await here.connect()
        answers = [await answered(reader, writer, request) for _ in range(4)]
        async with asyncio.timeout(30):
            rest = await reader.read()
        writer.close()

    assert answers == [b'{"data":{"ratio":5.0}}'] * 4
    assert rest == b""


async def test_a_token_that_ended_is_refused_when_it_was_accepted_before() -> None:
    request = whole_post("{ me { name } }", "authorization: Bearer ada")
    async with house() as here:
        reader, writer = await here.connect()
        before = [await answered(reader, writer, request) for _ in range(3)]
        here.world.ended.add("ada")
        after = await answered(reader, writer, request)
        writer.close()

    assert before == [b'{"data":{"me":{"name":"ada"}}}'] * 3
    assert b"UNAUTHENTICATED" in after
