"""`python -m devservices.stripe`: runs the local Stripe on 127.0.0.1 until it gets SIGTERM or SIGINT."""

import argparse
import fcntl
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import uvicorn

from devservices.stripe import SIGNING_VARIABLE
from devservices.stripe.app import App, Config
from devservices.stripe.asgi import build
from devservices.stripe.connections import ResettableProtocol
from devservices.stripe.store import Store

HOST = "127.0.0.1"
CANNOT_START = 2


def main(words: Sequence[str] | None = None) -> int:
    """Serves; returns the exit status."""
    given = _parser().parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        lock = _exclusive_lock(given.data_dir)
        listener = _listener(given.port)
    except OSError as fault:
        sys.stderr.write(f"The local Stripe cannot start: {fault}.\n")
        return CANNOT_START
    with lock, listener:
        _serve(given, listener)
    return 0


def _serve(given: argparse.Namespace, listener: socket.socket) -> None:
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    config = Config(
        url,
        given.webhook_url,
        given.webhook_secret,
        given.api_key,
        given.later_seconds,
        tuple(given.other_host),
    )
    app = App(Store(given.data_dir / "stripe.sqlite3"), config)
    server = uvicorn.Config(
        build(app, lambda: _print_ready(url)),
        http=ResettableProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(server).run(sockets=[listener])


def _print_ready(url: str) -> None:
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


def _exclusive_lock(data_dir: Path) -> IO[str]:
    """Locks the data dir: two processes on it would send every webhook twice."""
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
    add("--port", type=int, default=0, help="0 takes a free port and prints it")
    add("--data-dir", type=Path, required=True)
    add("--webhook-url", help="the address of the webhook endpoint; without it no events are sent")
    add(
        "--webhook-secret",
        default=os.environ.get(SIGNING_VARIABLE, "whsec_local"),
        help=f"signs the events; in {SIGNING_VARIABLE} no process list shows it (whsec_local)",
    )
    add("--api-key", help="the only accepted secret key; without it any sk_test_ key is accepted")
    add(
        "--other-host",
        action="append",
        default=[],
        help="a name beside loopback's by which it may be asked for",
    )
    add("--later-seconds", type=float, default=1.0, help="the duration of slow payments and refunds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
