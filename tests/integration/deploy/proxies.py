"""The proxies of deploy/ on free ports, and the two API processes behind them."""

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from devservices.ports import HOST, free_port
from tests.apis import settings_on
from tests.certificates import Certificates
from tests.installations import ROOT, until

DRAIN_SECONDS = 3


def program_of(proxy: str) -> str:
    """The proxy's program; the tests that need it are skipped where there is none, but not in CI."""
    beside = Path(sys.executable).parent / proxy
    found = str(beside) if beside.exists() else shutil.which(proxy)
    if found is None:
        assert not os.environ.get("CI"), f"CI installs {proxy}"
        pytest.skip(f"no {proxy} on this machine: apt-get install {proxy}")
    return found


class ApiProcess:
    """`boxoffice serve` on a port of its own, with another one for readiness."""

    def __init__(self, home: Path, postgres_url: str, redis_url: str, **changes: str) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        self._home = home
        settings = settings_on(
            postgres_url,
            redis_url,
            port=str(self.port),
            metrics_port=str(self.metrics_port),
            drain_seconds=str(DRAIN_SECONDS),
            trusted_proxies=HOST,
            **changes,
        )
        self._environment = {**os.environ, **settings.environment_variables(), "PYTHONPATH": str(ROOT)}
        self.start()

    def start(self) -> None:
        """Start it; it is ready a while later."""
        words = [sys.executable, "-m", "cli", "serve", "--data-dir", str(self._home)]
        self.process = subprocess.Popen(words, env=self._environment, cwd=ROOT)

    def is_ready(self) -> bool:
        """What a proxy asks."""
        try:
            return httpx.get(f"http://{HOST}:{self.metrics_port}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def begin_to_stop(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


class Proxy:
    """A proxy of deploy/ with its ports and certificates replaced by those of the test."""

    def __init__(self, name: str, home: Path, apis: list[ApiProcess]) -> None:
        home.mkdir()
        self._home = home
        self.http_port, self.port = free_port(), free_port()
        certificates = Certificates(home / "certificates")
        certificate, key = certificates.issue("site", "localhost", HOST)
        both = home / "certificates" / "both.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        self.trust: ssl.SSLContext = ssl.create_default_context(cafile=str(certificates.ca_file))
        self._ports = {
            r"\b443\b": str(self.port),
            r"\b80\b": str(self.http_port),
            "/etc/boxoffice/tls/certificate.pem": str(certificate),
            "/etc/boxoffice/tls/key.pem": str(key),
            "/etc/boxoffice/tls/site.pem": str(both),
        }
        for documented, api in zip((8001, 8002), apis, strict=True):
            self._ports[rf"\b{documented}\b"] = str(api.port)
            self._ports[rf"\b1{documented}\b"] = str(api.metrics_port)
        configuration = {"nginx": self._nginx, "haproxy": self._haproxy, "envoy": self._envoy}[name]
        self._process = subprocess.Popen(configuration(program_of(name)), stdout=subprocess.DEVNULL)
        until(lambda: self._answers() or self._process.poll() is not None)
        assert self._process.poll() is None, f"{name} has ended"

    @property
    def url(self) -> str:
        """https://…"""
        return f"https://{HOST}:{self.port}"

    def stop(self) -> None:
        """End it, and the processes that it has started."""
        self._process.terminate()
        self._process.wait(20)

    def _nginx(self, program: str) -> list[str]:
        site = replaced(ROOT / "deploy/nginx/boxoffice.conf", self._ports)
        (self._home / "site.conf").write_text(re.sub(r"\n *listen \[::\][^\n]*", "", site))
        paths = "".join(
            f"{kind}_temp_path {self._home / kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = self._home / "nginx.conf"
        main.write_text(
            f"daemon off; worker_processes 1; pid {self._home / 'pid'}; error_log stderr warn;"
            f"events {{}} http {{ access_log off; {paths} include {self._home / 'site.conf'}; }}"
        )
        words = [program, "-e", "stderr", "-c", str(main)]
        subprocess.run([*words, "-t"], check=True, stderr=subprocess.DEVNULL)
        return words

    def _haproxy(self, program: str) -> list[str]:
        file = self._home / "haproxy.cfg"
        file.write_text(replaced(ROOT / "deploy/haproxy/haproxy.cfg", self._ports))
        checked = subprocess.run([program, "-c", "-f", str(file)], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        assert "WARNING" not in checked.stderr, checked.stderr
        return [program, "-q", "-db", "-f", str(file)]

    def _envoy(self, program: str) -> list[str]:
        file = self._home / "envoy.yaml"
        file.write_text(replaced(ROOT / "deploy/envoy/envoy.yaml", self._ports))
        return [
            program,
            "-c",
            str(file),
            "--log-level",
            "error",
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
        ]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", verify=self.trust, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def replaced(file: Path, changes: Mapping[str, str]) -> str:
    """The text of a file with patterns replaced; comments stay."""
    lines = file.read_text().splitlines()
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("#"):
            for pattern, value in changes.items():
                line = re.sub(pattern, value, line)
        lines[number] = line
    return "\n".join(lines) + "\n"


@contextmanager
def proxied(
    name: str, home: Path, postgres_url: str, redis_url: str, **changes: str
) -> Iterator[tuple[Proxy, list[ApiProcess]]]:
    """A proxy in front of two API processes; `changes` are settings by their name in lower case."""
    program_of(name)
    apis: list[ApiProcess] = []
    proxy: Proxy | None = None
    try:
        for number in range(2):
            apis.append(ApiProcess(home / f"api-{number}", postgres_url, redis_url, **changes))
        until(lambda: all(api.is_ready() for api in apis))
        proxy = Proxy(name, home / name, apis)
        yield proxy, apis
    finally:
        if proxy is not None:
            proxy.stop()
        for api in apis:
            api.end()
