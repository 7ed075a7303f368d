"""A Redis cluster on this machine: three primaries, with or without replicas."""

import re
from functools import partial
from pathlib import Path

from redis.crc import key_slot

from devservices.ports import HOST, free_port
from tests.certificates import Certificates
from tests.installations import until
from tests.redis_servers import RedisServer, stopped_at_a_failure

_SLOTS = 16_384
NODE_TIMEOUT_SECONDS = 1.0
_OPTIONS = (
    f"--appendonly no --cluster-enabled yes --cluster-node-timeout {NODE_TIMEOUT_SECONDS * 1000:.0f}"
    " --cluster-require-full-coverage no --cluster-replica-validity-factor 0 --repl-diskless-sync-delay 0"
)


class Node(RedisServer):
    """One node."""

    def __init__(self, home: Path, certificates: Certificates | None = None) -> None:
        self.bus_port = free_port()
        options = f"{_OPTIONS} --cluster-port {self.bus_port}"
        options += " --tls-cluster yes" if certificates else ""
        super().__init__(home, *options.split(), certificates=certificates)

    def has_met(self, other: "Node") -> bool:
        """Whether it knows another one, or is about to."""
        # redis-py makes a dictionary of the answer where it can.
        return re.search(rf":{other.port}\b", self.ask("CLUSTER", "NODES").decode()) is not None

    @property
    def name(self) -> str:
        """Its id in the cluster."""
        return self.ask("CLUSTER", "MYID").decode()


class Cluster:
    """The primaries of the cluster, their replicas, and the address for clients."""

    def __init__(
        self,
        home: Path,
        size: int = 3,
        *,
        with_replicas: bool = False,
        certificates: Certificates | None = None,
    ) -> None:
        self._size = size
        self._certificates = certificates
        self.nodes: list[Node] = []
        self.replicas: list[Node] = []
        with stopped_at_a_failure(self):
            self._make_primaries(home)
            if with_replicas:
                self._make_replicas(home)

    @property
    def url(self) -> str:
        """redis+cluster://… of its first node."""
        return self.url_of(self.nodes[0])

    def url_of(self, *nodes: Node) -> str:
        """redis+cluster://… of these nodes."""
        return "redis+cluster://" + ",".join(f"{HOST}:{node.port}" for node in nodes)

    def node_of(self, key: str) -> Node:
        """The node that had a key's slot at first."""
        slot = key_slot(key.encode())
        return next(node for number, node in enumerate(self.nodes) if slot < self._first_slot(number + 1))

    def stop(self) -> None:
        """Stops every node."""
        for node in [*self.nodes, *self.replicas]:
            node.kill()

    def _make_primaries(self, home: Path) -> None:
        for number in range(self._size):
            self.nodes.append(Node(home / f"node-{number}", self._certificates))
        for number, node in enumerate(self.nodes):
            with node.client() as client:
                slots = (self._first_slot(number), self._first_slot(number + 1) - 1)
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        until(self._is_whole)

    def _make_replicas(self, home: Path) -> None:
        for primary in self.nodes:
            replica = Node(home / f"replica-{primary.port}", self._certificates)
            self.replicas.append(replica)
            until(partial(self._knows, replica, primary))
            replica.ask("CLUSTER", "REPLICATE", primary.name)
        until(lambda: all(each.is_linked() for each in self.replicas))

    def _introduce(self, node: Node) -> None:
        """Let a node meet the first one; on a busy machine a handshake may time out, and is begun again."""
        first = self.nodes[0]
        if node is not first and not node.has_met(first):
            node.ask("CLUSTER", "MEET", HOST, first.port, first.bus_port)

    def _first_slot(self, number: int) -> int:
        return _SLOTS * number // self._size

    def _knows(self, node: Node, other: Node) -> bool:
        self._introduce(node)
        return other.name.encode() in node.ask("CLUSTER", "NODES")

    def _is_whole(self) -> bool:
        for node in self.nodes:
            self._introduce(node)
        for node in self.nodes:
            with node.client() as client:
                slots = client.execute_command("CLUSTER", "SHARDS")
            if len(slots) != len(self.nodes) or b"cluster_state:ok" not in node.ask("CLUSTER", "INFO"):
                return False
        return True
