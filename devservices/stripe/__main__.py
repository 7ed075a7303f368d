"""`python -m devservices.stripe`: runs the local Stripe on 127.0.0.1 until it is told to stop."""

import argparse
import fcntl
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import uvicorn

from devservices.stripe.application import build
from devservices.stripe.connections import CuttableProtocol
from devservices.stripe.store import Store
from devservices.stripe.workshop import Arrangement, Workshop

HOST = "127.0.0.1"
REFUSED = 2


def main(words: Sequence[str] | None = None) -> int:
    """Serves; answers the exit status."""
    given = _parser().parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        lock = _sole_user(given.data_dir)
        listener = _listener(given.port)
    except OSError as fault:
        sys.stderr.write(f"The local Stripe cannot start: {fault}.\n")
        return REFUSED
    with lock, listener:
        _serve(given, listener)
    return 0


def _serve(given: argparse.Namespace, listener: socket.socket) -> None:
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    arrangement = Arrangement(
        url, given.webhook_url, given.webhook_secret, given.api_key, given.later_seconds
    )
    workshop = Workshop(Store(given.data_dir / "stripe.sqlite3"), arrangement)
    config = uvicorn.Config(
        build(workshop, lambda: _say_ready(url)),
        http=CuttableProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _say_ready(url: str) -> None:
    sys.stdout.write(f"local Stripe ready on {url}\n")
    sys.stdout.flush()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as fault:
        listener.close()
        raise OSError(f"port {port} is in use ({fault.strerror})") from fault
    listener.listen(1024)
    return listener


def _sole_user(data_dir: Path) -> IO[str]:
    """Two processes on one data dir would send every webhook twice."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = (data_dir / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        lock.close()
        raise OSError(f"another one runs on {data_dir}") from fault
    return lock


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devservices.stripe", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes a free one and says which")
    add("--data-dir", type=Path, required=True)
    add("--webhook-url", help="where signed events go; none are sent without it")
    add("--webhook-secret", default="whsec_local")
    add("--api-key", help="the only secret key to accept; any sk_test_ key without it")
    add("--later-seconds", type=float, default=1.0, help="how long slow payments and refunds take")
    return parser


if __name__ == "__main__":
    sys.exit(main())
