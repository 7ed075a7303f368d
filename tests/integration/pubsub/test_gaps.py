"""Lost connections: subscribers get a gap, which means that they may have missed messages."""

import asyncio
import contextlib
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

import pubsub.server_subscriptions
from domain.errors import Unavailable
from pubsub.channels import Channels, Mailbox
from pubsub.redis_backend import RedisBackend
from pubsub.server_subscriptions import ServerSubscriptions
from reservations.connection import connect_server


class Proxy:
    """A proxy before Redis that cuts its connections, and refuses new ones while it is closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.refuses = False
        self.refused = 0

    async def open(self) -> int:
        """The port it listens on."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            self.refused += 1
            writer.transport.abort()
            return
        its_reader, its_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, its_writer}
        await asyncio.gather(self._pump(reader, its_writer), self._pump(its_reader, writer))

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()


async def received_until(mailbox: Mailbox, last: str) -> list[str | None]:
    received: list[str | None] = []
    async with asyncio.timeout(5):
        while last not in received:
            received.append(await mailbox.get())
    return received


async def listened_to(client: Redis, channel: str) -> None:
    """Return when the server has a subscription of the channel."""
    async with asyncio.timeout(10):
        while not (await client.pubsub_shardnumsub(channel))[0][1]:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("away_seconds", [0.0, 0.5])
async def test_a_gap_is_announced_when_the_server_was_away(redis_url: str, away_seconds: float) -> None:
    port = urlsplit(redis_url).port
    assert port is not None
    proxy = Proxy(port)
    client, other = (
        connect_server(redis_url.replace(f":{port}", f":{await proxy.open()}"), 4),
        connect_server(redis_url, 4),
    )
    channels = Channels(RedisBackend(client))
    await channels.open()
    async with channels.subscribe("c") as mailbox:
        await other.spublish("c", "before")
        assert await received_until(mailbox, "before") == ["before"]
        proxy.refuses = away_seconds > 0
        proxy.cut()
        await other.spublish("c", "lost")
        await asyncio.sleep(away_seconds)
        proxy.refuses = False
        await listened_to(other, "c")
        await asyncio.sleep(0.1)
        await other.spublish("c", "after")
        received = await received_until(mailbox, "after")
    await channels.close()
    await client.aclose()
    await other.aclose()

    assert received[0] is None
    assert (proxy.refused > 1) is (away_seconds > 0)


async def test_a_gap_is_announced_when_the_connection_was_killed_and_made_again_at_once(
    redis_url: str,
) -> None:
    client, other = connect_server(redis_url, 4), connect_server(redis_url, 4)
    channels = Channels(RedisBackend(client))
    await channels.open()
    async with channels.subscribe("c") as mailbox:
        at_once = other.pipeline(transaction=True)
        at_once.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        at_once.spublish("c", "lost")
        await at_once.execute()
        await listened_to(other, "c")
        await asyncio.sleep(0.1)
        await other.spublish("c", "after")
        received = await received_until(mailbox, "after")
    await channels.close()
    await client.aclose()
    await other.aclose()

    assert received[0] is None


async def test_a_message_is_received_when_it_comes_between_a_ping_and_its_answer(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub.server_subscriptions, "SILENCE_SECONDS", 0.3)
    client, other = connect_server(redis_url, 4), connect_server(redis_url, 4)
    send = ServerSubscriptions._send

    async def publish_first(self: ServerSubscriptions, *command: str) -> None:
        if command == ("PING",):
            await other.spublish("c", "news")
        await send(self, *command)

    monkeypatch.setattr(ServerSubscriptions, "_send", publish_first)
    channels = Channels(RedisBackend(client))
    await channels.open()
    async with channels.subscribe("c") as mailbox:
        received = await received_until(mailbox, "news")
    await channels.close()
    await client.aclose()
    await other.aclose()

    assert received == ["news"]


# redis-py opens a socket for each of two tasks that reconnect a pub/sub connection, and closes one of them.
@pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning")
async def test_joiners_are_served_or_refused_as_unavailable_when_the_connection_is_made_again(
    redis_url: str,
) -> None:
    client, other = connect_server(redis_url, 4), connect_server(redis_url, 4)
    channels = Channels(RedisBackend(client))
    await channels.open()

    async def come(channel: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        with contextlib.suppress(Unavailable):
            async with channels.subscribe(channel):
                pass

    async with channels.subscribe("kept") as mailbox:
        for round_ in range(6):
            await other.client_kill_filter(_type="pubsub")
            await asyncio.gather(*(come(f"c{round_}-{turns}", turns) for turns in range(12)))
        await listened_to(other, "kept")
        await asyncio.sleep(0.1)
        await other.spublish("kept", "after")
        assert (await received_until(mailbox, "after"))[-1] == "after"
    await channels.close()
    await client.aclose()
    await other.aclose()
