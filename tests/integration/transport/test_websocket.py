"""graphql-transport-ws over real sockets: every close code, every kind of operation."""

from __future__ import annotations

import hashlib

import pytest
from websockets.exceptions import InvalidStatus

from tests.transport.clients import listening, until, websocket
from tests.transport.toy import Context, CountingMeters, World, make_server, rights_of, schema
from transport import ConnectionInfo, GraphQLServer, Limits, ServerOptions

BIG = "subscription { flood }"


async def test_socket_is_closed_with_4406_when_the_subprotocol_is_another() -> None:
    async with listening(make_server()) as address, websocket(address, None) as socket:
        assert await socket.close_code() == 4406


async def test_socket_is_closed_with_4408_when_nothing_is_initialised_in_time() -> None:
    limits = Limits(init_seconds=0.05)
    async with listening(make_server(limits=limits)) as address, websocket(address) as socket:
        assert await socket.close_code() == 4408


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{"], 4400),
        ([b"{}"], 4400),
        (["[]"], 4400),
        ([{"type": "unheard"}], 4400),
        ([{"type": "connection_init", "payload": []}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": 1, "payload": {}}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": "", "payload": {}}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": "a", "payload": "x"}], 4400),
        ([{"type": "connection_init"}, {"type": "complete"}], 4400),
        ([{"type": "ping", "payload": 7}], 4400),
        ([{"type": "pong", "payload": "x"}], 4400),
        *(
            ([{"type": "connection_init"}, {"type": "subscribe", "id": "a", "payload": payload}], 4400)
            for payload in (
                {},
                {"query": None},
                {"query": 7},
                {"query": "{ hello }", "variables": [1]},
                {"query": "{ hello }", "variables": "x"},
                {"query": "{ hello }", "extensions": [1]},
                {"query": "{ hello }", "operationName": 7},
            )
        ),
        # The shape comes before the right, as the reference server has it.
        ([{"type": "subscribe", "id": "a", "payload": {"query": 7}}], 4400),
        ([{"type": "subscribe", "id": "a", "payload": {"query": "{ hello }"}}], 4401),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer bad"}}], 4403),
        ([{"type": "connection_init", "payload": {"Authorization": "nonsense"}}], 4403),
        ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
    ],
)
async def test_socket_is_closed_with_its_code_when_the_protocol_is_broken(
    messages: list[object], code: int
) -> None:
    async with listening(make_server()) as address, websocket(address) as socket:
        for message in messages:
            await socket.send(message)
        assert await socket.close_code() == code


async def test_socket_is_closed_with_4409_when_an_id_is_in_use() -> None:
    async with listening(make_server()) as address, websocket(address) as socket:
        await socket.initialise()
        await socket.subscribe("a", "subscription { forever }")
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe("a", "{ hello }")
        assert await socket.close_code() == 4409


async def test_the_101st_operation_is_refused_by_itself_when_a_hundred_run() -> None:
    world, meters = World(), CountingMeters()
    server = make_server(world, meters=meters)
    async with listening(server) as address, websocket(address) as socket:
        await socket.initialise()
        for number in range(100):
            await socket.subscribe(str(number), "subscription { fed { version } }")
        assert {(await socket.receive())["type"] for _ in range(100)} == {"next"}

        await socket.subscribe("one more", "subscription { fed { version } }")
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == ("one more", "error")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        assert (meters.refusals, len(world.sources)) == (["TOO_MANY_OPERATIONS"], 100)

        world.notify(1)
        messages = [await socket.receive() for _ in range(100)]
        assert {message["id"] for message in messages} == {str(number) for number in range(100)}
        await socket.send({"id": "7", "type": "complete"})
        await socket.subscribe("one more", "{ hello }")
        assert (await socket.receive())["payload"] == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize("kind", ["subscribe", "complete"])
async def test_socket_is_closed_with_4400_when_an_id_is_longer_than_128_bytes(kind: str) -> None:
    async with listening(make_server()) as address, websocket(address) as socket:
        await socket.initialise()
        await socket.subscribe("é" * 64, "{ hello }")
        assert (await socket.receive())["type"] == "next"
        await socket.receive()
        await socket.send({"id": "é" * 64 + "x", "type": kind, "payload": {"query": "{ hello }"}})
        assert await socket.close_code() == 4400


async def test_socket_is_closed_with_4400_when_the_payload_of_init_is_above_16_kb() -> None:
    async with listening(make_server()) as address:
        async with websocket(address) as socket:
            await socket.initialise({"Authorization": "Bearer ada", "about": "x" * 16_000})
        async with websocket(address) as socket:
            await socket.send({"type": "connection_init", "payload": {"about": "x" * 16_384}})
            assert await socket.close_code() == 4400


async def test_only_the_authorization_is_kept_when_init_brings_more() -> None:
    seen: list[ConnectionInfo] = []

    def context_of(info: ConnectionInfo) -> Context:
        seen.append(info)
        return Context("ada", World())

    server = GraphQLServer(schema, context_of)
    async with listening(server) as address, websocket(address) as socket:
        await socket.initialise({"authorization": "Bearer ada", "about": "x" * 16_000, "more": [{}]})
        await socket.subscribe("a", "{ hello }")
        await socket.receive()

    assert [info.params for info in seen] == [{"authorization": "Bearer ada"}] * 2


async def test_handshake_is_refused_when_the_origin_is_not_allowed() -> None:
    def ours(info: ConnectionInfo) -> bool:
        return info.headers.get("origin") == "https://ours.example"

    options = ServerOptions(origin_allowed=ours)
    async with listening(make_server(options=options)) as address:
        with pytest.raises(InvalidStatus):
            async with websocket(address, additional_headers={"Origin": "https://theirs.example"}):
                pass
        async with websocket(address, additional_headers={"Origin": "https://ours.example"}) as socket:
            await socket.initialise()


async def test_query_mutation_and_subscription_answer_when_asked_over_one_socket() -> None:
    async with listening(make_server()) as address, websocket(address) as socket:
        await socket.initialise({"Authorization": "Bearer ada"})
        await socket.subscribe("q", "{ me { name } }")
        assert await socket.receive() == {
            "id": "q",
            "type": "next",
            "payload": {"data": {"me": {"name": "ada"}}},
        }
        assert await socket.receive() == {"id": "q", "type": "complete"}
        await socket.subscribe("m", "mutation { bump }")
        assert (await socket.receive())["payload"] == {"data": {"bump": 1}}
        await socket.receive()
        await socket.subscribe("s", "subscription { updates(count: 2) { version } }")
        versions = [(await socket.receive())["payload"]["data"]["updates"]["version"] for _ in range(2)]
        assert versions == [1, 2]
        assert await socket.receive() == {"id": "s", "type": "complete"}


async def test_error_message_carries_a_code_when_a_document_is_refused() -> None:
    async with listening(make_server()) as address, websocket(address) as socket:
        await socket.initialise()
        for query, code in [
            ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ " + " ".join(f"a{n}: hello" for n in range(101)) + " }", "ALIAS_LIMIT"),
        ]:
            await socket.subscribe("x", query)
            message = await socket.receive()
            assert (message["type"], message["id"]) == ("error", "x")
            assert message["payload"][0]["extensions"]["code"] == code


async def test_persisted_document_runs_by_its_id_when_another_socket_registered_it() -> None:
    query = "{ hello }"
    digest = hashlib.sha256(query.encode()).hexdigest()
    async with listening(make_server()) as address:
        async with websocket(address) as socket:
            await socket.initialise()
            unknown = {"id": "u", "type": "subscribe", "payload": {"documentId": f"sha256:{digest}"}}
            await socket.send(unknown)
            refused = await socket.receive()
            assert refused["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
            await socket.subscribe("r", query, documentId=f"sha256:{digest}")
            assert (await socket.receive())["type"] == "next"
        async with websocket(address) as socket:
            await socket.initialise()
            apollo = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
            await socket.send({"id": "a", "type": "subscribe", "payload": {"extensions": apollo}})
            assert (await socket.receive())["payload"] == {"data": {"hello": "hello world"}}


async def test_ping_is_answered_and_sent_when_a_connection_is_open() -> None:
    limits = Limits(keep_alive_seconds=0.05)
    async with listening(make_server(limits=limits)) as address, websocket(address) as socket:
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
        await socket.initialise()
        assert await socket.receive() == {"type": "ping"}
        await socket.send({"type": "pong"})
        assert await socket.receive() == {"type": "ping"}


async def test_client_is_dropped_and_counted_when_it_stays_silent() -> None:
    meters = CountingMeters()
    limits = Limits(keep_alive_seconds=0.05, silence_seconds=0.1)
    server = make_server(limits=limits, meters=meters)
    async with listening(server) as address, websocket(address) as socket:
        await socket.initialise()
        await socket.subscribe("s", "subscription { forever }")
        assert await socket.close_code() == 4499
        assert meters.drops == [("websocket", "silent")]
        await until(lambda: meters.open == {"websocket": 0})


async def test_source_is_closed_and_gauge_falls_when_the_client_completes_or_leaves() -> None:
    world, meters = World(), CountingMeters()
    async with listening(make_server(world, meters=meters)) as address:
        async with websocket(address) as socket:
            await socket.initialise()
            for name in ("a", "b"):
                await socket.subscribe(name, "subscription { forever }")
                assert (await socket.receive())["payload"] == {"data": {"forever": 1}}
            assert meters.open == {"websocket": 2}
            await socket.send({"id": "a", "type": "complete"})
            await until(lambda: world.closed_sources == 1)
            assert meters.open == {"websocket": 1}
        await until(lambda: world.closed_sources == 2)
        assert meters.open == {"websocket": 0}


async def test_slow_client_is_dropped_when_it_reads_nothing_for_too_long() -> None:
    meters = CountingMeters()
    limits = Limits(keep_alive_seconds=0.05, send_seconds=0.1)
    server = make_server(limits=limits, meters=meters)
    async with listening(server) as address, websocket(address, max_queue=1) as socket:
        await socket.initialise()
        await socket.subscribe("f", BIG)
        await until(lambda: meters.drops == [("websocket", "slow")])
        await until(lambda: meters.open == {"websocket": 0})
        assert meters.drops == [("websocket", "slow")]
        socket.connection.transport.abort()


async def test_update_is_executed_once_when_many_sockets_watch_it() -> None:
    world = World()
    query = "subscription { updates(count: 1, sinceVersion: 900) { counted } }"
    async with listening(make_server(world)) as address, websocket(address) as one, websocket(address) as two:
        for socket, name in ((one, "first"), (two, "second")):
            await socket.initialise()
            await socket.subscribe(name, query)
            assert await socket.receive() == {
                "id": name,
                "type": "next",
                "payload": {"data": {"updates": {"counted": 901}}},
            }
    assert world.executions == 1


async def test_updates_are_not_shared_when_rights_or_variables_differ() -> None:
    world = World()
    query = (
        "subscription($n: Int!, $since: Int!)"
        "{ updates(count: 1, sinceVersion: $since) { counted(times: $n) } }"
    )
    async with listening(make_server(world, options=ServerOptions(rights=rights_of))) as address:
        for token, times in (("ada", 1), ("ada", 2), ("bob", 1), ("ada", 1)):
            async with websocket(address) as socket:
                await socket.initialise({"Authorization": f"Bearer {token}"})
                await socket.subscribe("x", query, variables={"n": times, "since": 800})
                message = await socket.receive()
                assert message["payload"]["data"]["updates"]["counted"] == 801 * times
    assert world.executions == 3


async def test_update_is_executed_once_for_all_people_when_its_operation_shows_all_the_same() -> None:
    world = World()
    options = ServerOptions(event_rights=lambda _context, operation: operation.root_fields == ("updates",))
    async with listening(make_server(world, options=options)) as address:
        for token in ("ada", "bob"):
            async with websocket(address) as socket:
                await socket.initialise({"Authorization": f"Bearer {token}"})
                await socket.subscribe(
                    "x", "subscription { updates(count: 1, sinceVersion: 700) { counted } }"
                )
                assert (await socket.receive())["payload"] == {"data": {"updates": {"counted": 701}}}
    assert world.executions == 1


async def test_error_is_masked_and_the_operation_completes_when_a_source_fails() -> None:
    async with listening(make_server()) as address, websocket(address) as socket:
        await socket.initialise()
        await socket.subscribe("b", "subscription { broken }")
        assert (await socket.receive())["payload"] == {"data": {"broken": 1}}
        failure = (await socket.receive())["payload"]["errors"][0]
        assert failure["message"] == "Internal server error."
        assert failure["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert await socket.receive() == {"id": "b", "type": "complete"}


async def test_sockets_are_closed_for_a_restart_when_the_server_closes() -> None:
    server = make_server()
    async with listening(server) as address, websocket(address) as socket:
        await socket.initialise()
        await socket.subscribe("s", "subscription { forever }")
        await socket.receive()
        await server.aclose()
        assert await socket.close_code() == 1012
