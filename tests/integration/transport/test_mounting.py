"""The server at one path of a Starlette application: HTTP and WebSocket alike."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.transport.clients import GraphQLSocket, listening
from tests.transport.toy import make_server


async def test_both_protocols_answer_at_one_path_when_routed_by_starlette() -> None:
    server = make_server()
    app = Starlette(routes=[Route("/graphql", server), WebSocketRoute("/graphql", server)])
    async with listening(app) as address:
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
                response = await client.request(method, "/graphql", params={"query": "{ hello }"})
                assert response.status_code != 404
            posted = await client.post("/graphql", json={"query": "{ hello }"})
            assert posted.json() == {"data": {"hello": "hello world"}}
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(f"ws://{address}/graphql", subprotocols=[protocol]) as connection:
            await GraphQLSocket(connection).initialise()
