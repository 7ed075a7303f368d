"""Another machine, as far as TCP knows: a network namespace behind a pair of virtual Ethernet devices.

Linux, and root, only.
When it vanishes, no connection to it is closed: packets are lost in both directions, as behind a cut cable.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from devservices.part import PartError


@dataclass(slots=True)
class OtherHost:
    """A namespace with an address of its own. The campaign's process id tells two campaigns apart."""

    name: str
    near: str
    """This side's address."""
    far: str
    """Its own address."""

    @staticmethod
    def is_possible() -> bool:
        """Whether this process may make one."""
        return os.geteuid() == 0 and shutil.which("ip") is not None and _may_make_namespaces()

    @classmethod
    def create(cls) -> "OtherHost":
        """Make a namespace and join it to this one. Raises: PartError."""
        number = os.getpid()
        net = f"10.{200 + number // 64 % 50}.{number // 16_384 % 250}.{number % 64 * 4}"
        prefix, _, last = net.rpartition(".")
        host = cls(f"boxoffice-{number}", f"{prefix}.{int(last) + 1}", f"{prefix}.{int(last) + 2}")
        _must("netns", "add", host.name)
        _must("link", "add", host._device, "type", "veth", "peer", "name", "far", "netns", host.name)
        _must("addr", "add", f"{host.near}/30", "dev", host._device)
        _must("link", "set", host._device, "up")
        _must("-n", host.name, "addr", "add", f"{host.far}/30", "dev", "far")
        _must("-n", host.name, "link", "set", "far", "up")
        _must("-n", host.name, "link", "set", "lo", "up")
        return host

    @property
    def _device(self) -> str:
        return f"bx{self.name.rpartition('-')[2]}"  # at most 15 characters

    def on_it(self, command: Sequence[str]) -> list[str]:
        """The command that runs another one on this host."""
        return ["ip", "netns", "exec", self.name, *command]

    def vanish(self) -> None:
        """Lose every packet from and to it."""
        _must("link", "set", self._device, "down")

    def appear(self) -> None:
        """Join it again."""
        _must("link", "set", self._device, "up")

    def remove(self) -> None:
        """Delete it; its processes have ended."""
        _ip("link", "delete", self._device)
        _ip("netns", "delete", self.name)


def _may_make_namespaces() -> bool:
    probe = f"boxoffice-probe-{os.getpid()}"
    made = _ip("netns", "add", probe).returncode == 0
    _ip("netns", "delete", probe)
    return made


def _ip(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def _must(*words: str) -> None:
    done = _ip(*words)
    if done.returncode:
        raise PartError(f"ip {' '.join(words)}: {done.stderr.strip()}")
