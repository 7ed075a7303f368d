"""`boxoffice serve` and `worker` as a deployment runs them: in production unless a setting says otherwise."""

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from devservices.ports import free_port
from kit.seeds import new_seed
from tests.installations import clean_environment, command, run, until

STRIPE_KEY = f"sk_live_{secrets.token_hex(12)}"


def production_settings(postgres_url: str, redis_url: str) -> dict[str, str]:
    """Everything that production needs but its environment, which is the default."""
    return {
        "BOXOFFICE_DATABASE_URL": postgres_url,
        "BOXOFFICE_REDIS_URL": redis_url,
        "BOXOFFICE_PUBLIC_URL": "https://tickets.example.com",
        "BOXOFFICE_STRIPE_API_KEY": STRIPE_KEY,
        "BOXOFFICE_STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "BOXOFFICE_JWT_SECRET": secrets.token_hex(32),
        "BOXOFFICE_TICKET_KEY": new_seed(),
    }


@contextmanager
def serving(settings: dict[str, str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`boxoffice serve`, ended afterwards."""
    process = subprocess.Popen(
        command("serve", "--data-dir", str(home)), cwd=home, env={**clean_environment(), **settings}
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def status_of(port: int, path: str) -> int:
    """The status of an answer; 0 where nothing answers."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=5).status_code
    except httpx.TransportError:
        return 0


def test_metrics_and_readiness_have_a_port_of_their_own_in_production(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    public, inside = free_port(), free_port()
    ports = {"BOXOFFICE_PORT": str(public), "BOXOFFICE_METRICS_PORT": str(inside)}
    with serving(production_settings(postgres_url, redis_url) | ports, tmp_path) as process:
        until(lambda: status_of(public, "/healthz") == 200 or process.poll() is not None)
        until(lambda: status_of(inside, "/readyz") == 200 or process.poll() is not None)

        assert [status_of(public, path) for path in ("/metrics", "/readyz")] == [404, 404]
        assert [status_of(inside, path) for path in ("/metrics", "/healthz")] == [200, 200]
        assert [status_of(inside, path) for path in ("/graphql", "/")] == [404, 404]
        process.send_signal(signal.SIGTERM)
        # Readiness is refused for a while before the process ends, so that the balancer looks away.
        until(lambda: status_of(inside, "/readyz") == 503 or process.poll() is not None)
        assert process.poll() is None
        process.wait(30)

    assert status_of(inside, "/readyz") == 0


def test_two_processes_share_the_port_of_metrics(postgres_url: str, redis_url: str, tmp_path: Path) -> None:
    public, inside = free_port(), free_port()
    ports = {"BOXOFFICE_PORT": str(public), "BOXOFFICE_METRICS_PORT": str(inside)}
    settings = production_settings(postgres_url, redis_url) | ports
    with serving(settings, tmp_path) as first, serving(settings, tmp_path) as second:
        until(lambda: status_of(inside, "/readyz") == 200)
        first.kill()
        first.wait()

        until(lambda: status_of(inside, "/readyz") == 200 or second.poll() is not None)
        assert second.poll() is None


@pytest.mark.parametrize("words", [("serve",), ("worker",)])
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("STRIPE_API_KEY", "sk_test_1", "BOXOFFICE_STRIPE_API_KEY is a development secret"),
        ("PUBLIC_URL", "", "BOXOFFICE_PUBLIC_URL is not set: give the https:// address"),
        ("ALLOWED_ORIGINS", "*", "BOXOFFICE_ALLOWED_ORIGINS must name origins in production, not *."),
        ("TRUSTED_PROXIES", "::/0", "BOXOFFICE_TRUSTED_PROXIES has ::/0"),
        ("REDIS_URL", "redis://cache:6379", "BOXOFFICE_REDIS_URL reaches another machine without TLS"),
    ],
)
def test_command_is_refused_in_one_sentence_when_production_refuses_a_setting(
    words: tuple[str, ...], name: str, value: str, sentence: str, tmp_path: Path
) -> None:
    settings = production_settings("postgresql://u@127.0.0.1:1/b", "redis://127.0.0.1:1")

    done = run(*words, "--data-dir", str(tmp_path), **(settings | {f"BOXOFFICE_{name}": value}))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
