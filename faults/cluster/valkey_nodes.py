"""Nodes of a Valkey cluster as parts, and the commands by which they become one cluster."""

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from devservices.part import Part, write_atomically
from devservices.ports import HOST, free_port, is_listening
from devservices.valkey import program
from faults.cluster.other_host import OtherHost

SLOTS = 16_384
NODE_TIMEOUT_SECONDS = 1.0
_PRIMARIES = 3
_FORMED_SECONDS = 30.0

_CONFIGURATION = """\
bind {addresses}
port {port}
cluster-port {bus_port}
requirepass {password}
masterauth {password}
dir {directory}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
cluster-enabled yes
cluster-announce-ip {host}
cluster-node-timeout {timeout_ms}
cluster-require-full-coverage no
cluster-replica-validity-factor 0
repl-diskless-sync-delay 0
"""


class ValkeyNode(Part):
    """One node."""

    def __init__(
        self, home: Path, number: int, password: str, host: str = HOST, elsewhere: OtherHost | None = None
    ) -> None:
        super().__init__(home, free_port())
        self.name = f"valkey-{number}"
        self.bus_port = free_port()
        self.password = password
        self.host = host
        """The address at which clients and the other nodes find it."""
        self.elsewhere = elsewhere
        """The other host that it runs on."""

    def prepare(self) -> None:
        write_atomically(
            self.directory / "valkey.conf",
            _CONFIGURATION.format(
                addresses=" ".join(dict.fromkeys((HOST, self.host))),
                host=self.host,
                port=self.port,
                bus_port=self.bus_port,
                password=self.password,
                directory=self.directory,
                timeout_ms=round(NODE_TIMEOUT_SECONDS * 1000),
            ),
            mode=0o600,
        )

    def command(self) -> Sequence[str]:
        words = [program(), str(self.directory / "valkey.conf")]
        return self.elsewhere.on_it(words) if self.elsewhere else words

    def is_ready(self) -> bool:
        """Whether it listens."""
        return is_listening(self.port, self.host)

    def client(self) -> redis.Redis:
        """A client of this node; the caller closes it."""
        return redis.Redis(
            self.host, self.port, password=self.password, socket_timeout=2.0, socket_connect_timeout=1.0
        )

    def ask(self, *command: str | int) -> bytes:
        """The answer to a command. Raises: RedisError."""
        with self.client() as client:
            answer = client.execute_command(*command)
            return answer if isinstance(answer, bytes) else str(answer).encode()

    @property
    def id(self) -> str:
        """Its id in the cluster."""
        return self.ask("CLUSTER", "MYID").decode()

    def role(self) -> str:
        """ "master" or "slave", or "" where it does not answer."""
        with contextlib.suppress(RedisError, OSError), self.client() as client:
            return str(client.execute_command("ROLE")[0].decode())
        return ""

    def is_linked(self) -> bool:
        """Whether a replica has its primary's data."""
        with contextlib.suppress(RedisError, OSError), self.client() as client:
            return bool(client.info("replication").get("master_link_status") == "up")
        return False


class ValkeyCluster:
    """Three primaries, and a replica of each. The first primary runs on another host where there is one."""

    def __init__(self, home: Path, password: str, other: OtherHost | None = None) -> None:
        near = other.near if other else HOST
        self.nodes = [ValkeyNode(home, number, password, near) for number in range(2 * _PRIMARIES)]
        if other is not None:
            self.nodes[0] = ValkeyNode(home, 0, password, other.far, other)
        self._password = password

    @property
    def url(self) -> str:
        """redis+cluster://… of all nodes."""
        hosts = ",".join(f"{node.host}:{node.port}" for node in self.nodes)
        return f"redis+cluster://:{self._password}@{hosts}"

    def form(self) -> None:
        """Make one cluster of the nodes, which have started."""
        primaries, replicas = self.nodes[:_PRIMARIES], self.nodes[_PRIMARIES:]
        for number, node in enumerate(primaries):
            node.ask("CLUSTER", "ADDSLOTSRANGE", *_slots_of(number))
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.ask("CLUSTER", "MEET", self.nodes[0].host, self.nodes[0].port, self.nodes[0].bus_port)
        ids = [node.id for node in primaries]
        _until(lambda: all(self._knows(node, ids) for node in self.nodes))
        for replica, primary_id in zip(replicas, ids, strict=True):
            replica.ask("CLUSTER", "REPLICATE", primary_id)
        _until(lambda: all(node.is_linked() for node in replicas))

    def primaries(self) -> list[ValkeyNode]:
        """The nodes that say that they are primaries."""
        return [node for node in self.nodes if node.role() == "master"]

    def owner(self, key: str) -> ValkeyNode:
        """The node that serves a key, as a node that answers knows it.

        Raises:
            RedisError: No node knows one.
        """
        slot = key_slot(key.encode())
        for node in random.sample(self.nodes, len(self.nodes)):
            with contextlib.suppress(RedisError, OSError), node.client() as client:
                for first, last, primary, *_ in client.execute_command("CLUSTER", "SLOTS"):
                    if first <= slot <= last:
                        return self.at(int(primary[1]))
        raise RedisError("no node knows who serves this slot")

    def move_slot(self, key: str, target: ValkeyNode) -> None:
        """Move a key's slot to another primary, and return when that serves it.

        Raises:
            RedisError: The cluster is not whole enough for it.
        """
        slot = key_slot(key.encode())
        self.owner(key).ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target.id)
        _until(lambda: self.owner(key) is target)

    def at(self, port: int) -> ValkeyNode:
        """The node with this port."""
        return next(node for node in self.nodes if node.port == port)

    def family_of(self, node: ValkeyNode) -> list[ValkeyNode]:
        """A primary and its replicas. Raises: RedisError."""
        own = node.id
        lines = self._lines()
        ports = [int(line.split()[1].partition("@")[0].rpartition(":")[2]) for line in lines if own in line]
        return [self.at(port) for port in ports]

    def is_whole(self) -> bool:
        """Whether every node sees every slot served, and every replica has its primary's data."""
        for node in self.nodes:
            try:
                if b"cluster_state:ok" not in node.ask("CLUSTER", "INFO"):
                    return False
                if node.role() == "slave" and not node.is_linked():
                    return False
            except (RedisError, OSError):
                return False
        return True

    def _lines(self) -> list[str]:
        for node in random.sample(self.nodes, len(self.nodes)):
            with contextlib.suppress(RedisError, OSError):
                return node.ask("CLUSTER", "NODES").decode().splitlines()
        raise RedisError("no node answers")

    @staticmethod
    def _knows(node: ValkeyNode, ids: list[str]) -> bool:
        known = node.ask("CLUSTER", "NODES").decode()
        return all(one in known for one in ids) and b"cluster_state:ok" in node.ask("CLUSTER", "INFO")


def _slots_of(number: int) -> tuple[int, int]:
    return SLOTS * number // _PRIMARIES, SLOTS * (number + 1) // _PRIMARIES - 1


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _FORMED_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the Valkey cluster was not formed in time")
        time.sleep(0.05)
