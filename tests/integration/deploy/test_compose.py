"""docker-compose.yml without an engine: its schema, its settings, its servers of Valkey."""

import asyncio
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from devservices.valkey import program
from kit.seeds import new_seed
from settings import PREFIX, Settings
from tests.apis import api_on
from tests.certificates import Certificates
from tests.first_sale import reserve_first_seat
from tests.installations import ROOT, until
from tests.integration.deploy.proxies import program_of

FILE = ROOT / "docker-compose.yml"
FOLDER = ROOT / "deploy/compose"
SECRET = secrets.token_hex(32)
# The addresses of the compose network, on this machine.
THERE, HERE = "172.30.", "127.30."


def variables_of(example: Path) -> dict[str, str]:
    """The variables of an example, each secret filled in, and those that a # precedes."""
    found = re.findall(r"^#?([A-Z_]+)=(.*)$", example.read_text(), re.MULTILINE)
    return {name: value or SECRET for name, value in found}


def composed(profile: str) -> dict[str, Any]:
    """The file with its variables filled in as the examples say."""
    variables = variables_of(FOLDER / "stores.env.example")
    if profile == "single":
        del variables["VALKEY_HOSTS"]

    def value(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        assert name in variables or operator in (":-", "-"), f"{name} is in no example"
        return variables.get(name, rest or "")

    text = re.sub(r"\$\{(\w+)(:\?|:-|-|)([^}]*)\}", value, FILE.read_text())
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def test_the_file_has_the_shape_of_compose_files() -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run([program, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True)

    assert done.returncode == 0, done.stdout


def test_every_service_that_another_waits_for_is_there_in_its_profile() -> None:
    services = composed("single")["services"]
    for name, service in services.items():
        waited_for = service.get("depends_on", {})
        for other in waited_for:
            profiles = set(services[other].get("profiles", []))
            condition = waited_for[other] if isinstance(waited_for, dict) else {}
            same = profiles and profiles <= set(service.get("profiles", []))
            assert not profiles or same or condition["required"] is False, (name, other)


@pytest.mark.parametrize("profile", ["single", "cluster"])
@pytest.mark.parametrize("service", ["api", "worker", "migrate"])
def test_the_settings_are_those_of_production(profile: str, service: str) -> None:
    given = composed(profile)["services"][service]
    examples = variables_of(FOLDER / "boxoffice.env.example")
    known = {PREFIX + each.name.upper() for each in fields(Settings)}
    assert given["env_file"] == ["deploy/compose/boxoffice.env"]
    assert set(examples) | set(given["environment"]) <= known

    own = {
        "BOXOFFICE_PUBLIC_URL": "https://tickets.example",
        "BOXOFFICE_STRIPE_API_KEY": "sk_live_" + SECRET,
        "BOXOFFICE_TICKET_KEY": new_seed(),
    }
    settings = Settings.load({**examples, **own, **given["environment"]}, None).require_serving()

    assert settings.environment == "production"
    assert settings.redis_url.count(",") == (2 if profile == "cluster" else 0)
    assert given.get("stop_grace_period", "25s") == f"{settings.stop_seconds + 5}s"


def test_haproxy_takes_the_configuration(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    certificate, key = certificates.issue("tls", "localhost")
    both = tmp_path / "site.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    file = tmp_path / "haproxy.cfg"
    file.write_text((FOLDER / "haproxy.cfg").read_text().replace("/etc/boxoffice/tls/site.pem", str(both)))

    done = subprocess.run([program_of("haproxy"), "-c", "-f", str(file)], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert all("could not resolve address 'api'" in line for line in warnings), warnings


@pytest.fixture
def valkeys(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The six nodes of the profile, each as its command starts it, on addresses of this machine."""
    services = composed("cluster")["services"]
    running = []
    for number in range(1, 7):
        service = services[f"valkey-{number}"]
        home = tmp_path / str(number)
        home.mkdir()
        address = service["networks"]["default"]["ipv4_address"].replace(THERE, HERE)
        where = ["--bind", address, "--bind-source-addr", address, "--dir", str(home)]
        words = [program(), *service["command"][1:], *where]
        running.append(subprocess.Popen(words, stdout=subprocess.DEVNULL))
        until(lambda address=address: answers(address))  # type: ignore[misc]
    yield services
    for process in running:
        process.kill()
        process.wait()


def answers(address: str) -> bool:
    try:
        with redis.Redis(address, password=SECRET) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


async def test_the_cluster_is_made_and_sells_when_its_profile_is_chosen(
    valkeys: dict[str, Any], postgres_url: str, tmp_path: Path
) -> None:
    client = shutil.which("valkey-cli") or shutil.which("redis-cli")
    if client is None:
        assert not os.environ.get("CI"), "CI installs redis-tools"
        pytest.skip("no redis-cli on this machine: apt-get install redis-tools")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/valkey-cli").symlink_to(client)
    maker = valkeys["valkey-cluster"]
    command = maker["command"][2].replace(THERE, HERE)
    environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", **maker["environment"]}

    async def make() -> None:
        done = await asyncio.create_subprocess_exec("sh", "-c", command, env=environment)
        async with asyncio.timeout(60):
            assert await done.wait() == 0

    await make()
    await make()  # it is started again with every `up`, whatever state the cluster is in

    url = valkeys["api"]["environment"]["BOXOFFICE_REDIS_URL"].replace(THERE, HERE)
    async with api_on(postgres_url, url) as api:
        assert await reserve_first_seat(api) == "ReserveSuccess"


def test_one_valkey_starts_when_its_profile_is_chosen(tmp_path: Path) -> None:
    words = composed("single")["services"]["valkey"]["command"]
    address = f"{HERE}0.99"

    process = subprocess.Popen(
        [program(), *words[1:], "--bind", address, "--dir", str(tmp_path)], stdout=subprocess.DEVNULL
    )

    until(lambda: answers(address))
    process.kill()
    process.wait()
