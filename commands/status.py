"""`boxoffice status`: which parts run, and what the API says of them."""

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from commands.banner import shown_host
from commands.configuration import settings_of_running
from commands.output import line
from settings import Settings

TIMEOUT_SECONDS = 5


def print_status(data_dir: str | None) -> int:
    """Prints a line for each process and for /readyz; 0 when all is well, else 1."""
    settings = settings_of_running(data_dir)
    states = {**process_states(settings.data_dir), **search_state(settings), **api_state(settings)}
    for name, state in states.items():
        line(f"{name}: {state}")
    return 0 if all(str(state).startswith(("running", "ready")) for state in states.values()) else 1


def process_states(home: Path) -> dict[str, str]:
    """For each pid file of the data dir, whether its process runs."""
    from devservices.data_dir import works_below
    from devservices.part import processes, read_pid

    states = {}
    for path in sorted((home / "run").glob("*.pid")):
        if path.name == "up.pid":
            continue
        pid = read_pid(path)
        found = processes([pid]) if pid is not None else []
        is_ours = any(works_below(process, home) for process in found)
        states[path.stem] = f"running (pid {pid})" if is_ours else "not running"
    return states


def search_state(settings: Settings) -> dict[str, str]:
    """How the search index stands, refused documents and their reasons among it."""
    if not settings.database_url:
        return {}
    from db.session import DATABASE_AWAY, Database
    from services.indexing import standing

    async def ask() -> str:
        database = Database(settings.database_url, most=1)
        try:
            return await standing(database)
        finally:
            await database.close()

    try:
        return {"search index": asyncio.run(ask())}
    except DATABASE_AWAY as fault:
        return {"search index": f"no answer from the database ({type(fault).__name__})"}


def api_state(settings: Settings) -> dict[str, Any]:
    """What /readyz answers, one entry a part, or that nobody answers."""
    url = f"http://{shown_host(settings.host)}:{settings.port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            return {"api": "ready", "/readyz": f"ready {compact(answer.read())}"}
    except urllib.error.HTTPError as refusal:
        return {"api": f"not ready {compact(refusal.read())}"}
    except OSError as fault:
        return {"api": f"no answer from {url} ({fault})"}


def compact(body: bytes) -> str:
    """A JSON body on one line; another body as it is."""
    try:
        return json.dumps(json.loads(body))
    except ValueError:
        return body.decode(errors="replace").strip()
