"""HAProxy before the API processes, as a part."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from devservices.part import Part, PartError
from devservices.ports import HOST

_CONFIGURATION = """\
global
    maxconn 4000
defaults
    mode http
    option forwardfor
    option redispatch
    retries 2
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
frontend public
    bind {host}:{port}
    default_backend processes
backend processes
    balance leastconn
    option httpchk GET /readyz
    default-server check inter 300ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


class Balancer(Part):
    """HAProxy, from PATH: Debian's package `haproxy`."""

    name = "haproxy"

    def __init__(self, home: Path, port: int, servers: Mapping[str, tuple[str, int]]) -> None:
        super().__init__(home, port)
        self._servers = servers

    def prepare(self) -> None:
        if shutil.which("haproxy") is None:
            raise PartError("There is no haproxy on PATH: install Debian's package haproxy.")
        lines = [f"    server {name} {host}:{port}" for name, (host, port) in self._servers.items()]
        text = _CONFIGURATION.format(host=HOST, port=self.port, servers="\n".join(lines))
        (self.directory / "haproxy.cfg").write_text(text)

    def command(self) -> Sequence[str]:
        return ["haproxy", "-f", str(self.directory / "haproxy.cfg"), "-db", "-q"]
