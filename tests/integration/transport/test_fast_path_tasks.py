"""Requests on the fast path that have to wait, on real sockets: in order, in slots, and under overload."""

from __future__ import annotations

import asyncio
import json

from tests.transport.clients import until
from tests.transport.servers import ADA, ME, SLOW, bodies, raw_post, slow_request, toy_server, whole_post
from transport import LoadLimits


async def test_answers_keep_their_order_when_a_slow_request_is_followed_at_once() -> None:
    slow, fast = b'{"query":"{ ratio(of: 1) calls }"}', b'{"query":"{ ratio(of: 2) }"}'
    async with toy_server() as here:
        await here.post(fast.decode())
        here.world.gate = asyncio.Event()
        reader, writer = await here.connect()
        sent = [raw_post(body, f"content-length: {len(body)}") for body in (fast, slow, fast, fast)]
        writer.write(b"".join(sent))
        await until(lambda: here.world.calls == 1)
        here.open_gate()
        answers = await bodies(reader, 4)
        writer.close()

    assert answers[0] == answers[2] == answers[3] == b'{"data":{"ratio":2.0}}'
    assert answers[1] == b'{"data":{"ratio":1.0,"calls":1}}'


async def test_its_slot_is_free_again_when_a_client_disconnects_during_a_slow_request() -> None:
    async with toy_server() as here:
        _, writer = await slow_request(here)
        in_hand = here.shedder.in_flight
        writer.close()
        here.open_gate()
        await until(lambda: here.shedder.in_flight == 0)
        after = await here.post(ME, ADA)

    assert in_hand == 1
    assert after.json()["data"]["me"] == {"name": "ada"}


async def test_a_request_queues_for_a_slot_or_is_refused_when_the_process_is_full() -> None:
    async with toy_server(limits=LoadLimits(in_flight=1, queue=1)) as here:
        here.world.gate = asyncio.Event()
        first, second = (asyncio.create_task(here.post(json.dumps({"query": SLOW}))) for _ in range(2))
        await until(lambda: here.shedder.in_flight + here.shedder.waiting == 2)
        refused = await here.post(json.dumps({"query": SLOW}))
        here.open_gate()
        answers = [(await request).json()["data"]["ratio"] for request in (first, second)]

    assert answers == [1.0, 1.0]
    assert refused.status_code == 503
    assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert here.shedder.in_flight == here.shedder.announced == 0


async def test_a_connection_ends_with_its_answer_when_the_process_stops_meanwhile() -> None:
    async with toy_server() as here:
        reader, writer = await slow_request(here)
        here.shedder.draining = True
        here.open_gate()
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()

    assert b"connection: close\r\n" in answer
    assert answer.endswith(b'{"data":{"ratio":1.0,"calls":1}}')


async def test_the_backlog_is_read_in_order_when_the_process_is_full() -> None:
    async with toy_server(limits=LoadLimits(in_flight=1, queue=0, exempt=frozenset({"/healthz"}))) as here:
        slow, slow_writer = await slow_request(here)
        sockets = [await here.connect() for _ in range(60)]
        for _, writer in sockets:
            for piece in (whole_post(SLOW)[:40], whole_post(SLOW)[40:], whole_post(SLOW)):
                writer.write(piece)
                await asyncio.sleep(0)
        healthy = await here.client.get("/healthz")
        refused = [await bodies(reader, 2) for reader, _ in sockets]
        here.open_gate()
        answer = await bodies(slow, 1)
        after = await here.post(ME, ADA)
        for writer in (slow_writer, *(writer for _, writer in sockets)):
            writer.close()

    assert all(b"OVERLOADED" in body for pair in refused for body in pair)
    assert healthy.status_code == 400  # the toy has no such page, but it was asked
    assert answer == [b'{"data":{"ratio":1.0,"calls":1}}']
    assert after.json()["data"]["me"] == {"name": "ada"}
    assert here.world.calls == 1


async def test_a_large_body_is_read_whole_when_it_is_sent_again_after_a_refusal() -> None:
    large = b'{"query":"{ ratio(of: 3) }"' + b" " * 600_000 + b"}"
    async with toy_server(limits=LoadLimits(in_flight=1, queue=0)) as here:
        slow, slow_writer = await slow_request(here)
        reader, writer = await here.connect()
        writer.write(raw_post(large, f"content-length: {len(large)}"))
        refused = await bodies(reader, 1)
        here.open_gate()
        await bodies(slow, 1)
        writer.write(raw_post(large, f"content-length: {len(large)}"))
        answered_then = await bodies(reader, 1)
        writer.close()
        slow_writer.close()

    assert b"OVERLOADED" in refused[0]
    assert answered_then == [b'{"data":{"ratio":3.0}}']
