"""A Redis cluster of three primaries on this machine."""

import contextlib
import subprocess
from pathlib import Path

import redis
from redis.crc import key_slot

from devservices.ports import HOST, free_port
from devservices.valkey import program
from tests.installations import until

_SLOTS = 16_384
_OPTIONS = (
    "--appendonly no --cluster-enabled yes --cluster-node-timeout 1000 --cluster-require-full-coverage no"
)


class Node:
    """One primary."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.port, self.bus_port = free_port(), free_port()
        self._home = home
        self.start()

    def start(self) -> None:
        """Starts it empty, with the cluster's configuration."""
        options = (
            f"--bind {HOST} --port {self.port} --cluster-port {self.bus_port} --dir {self._home} {_OPTIONS}"
        )
        self._process = subprocess.Popen([program(), *options.split()], stdout=subprocess.DEVNULL)
        until(self._answers)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def client(self) -> redis.Redis:
        """A client of this node; the caller closes it."""
        return redis.Redis(HOST, self.port)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False


class Cluster:
    """The nodes of the cluster and the address for clients."""

    def __init__(self, home: Path, size: int = 3) -> None:
        self._size = size
        self.nodes = [Node(home / f"node-{number}") for number in range(size)]
        for number, node in enumerate(self.nodes):
            with node.client() as client:
                slots = (self._first_slot(number), self._first_slot(number + 1) - 1)
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
                first = (HOST, self.nodes[0].port, self.nodes[0].bus_port)
                client.execute_command("CLUSTER", "MEET", *first)
        until(self._is_whole)

    @property
    def url(self) -> str:
        """redis+cluster://… of its first node."""
        return f"redis+cluster://{HOST}:{self.nodes[0].port}"

    def node_of(self, key: str) -> Node:
        """The node that has a key."""
        slot = key_slot(key.encode())
        return next(node for number, node in enumerate(self.nodes) if slot < self._first_slot(number + 1))

    def _first_slot(self, number: int) -> int:
        return _SLOTS * number // self._size

    def _is_whole(self) -> bool:
        for node in self.nodes:
            with node.client() as client:
                slots = client.execute_command("CLUSTER", "SHARDS")
                info = client.execute_command("CLUSTER", "INFO")
            if len(slots) != len(self.nodes) or b"cluster_state:ok" not in info:
                return False
        return True

    def stop(self) -> None:
        """Stops every node."""
        for node in self.nodes:
            node.kill()
