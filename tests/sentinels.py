"""A primary with a replica, and the Sentinels that watch them."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from devservices.ports import HOST
from tests.certificates import Certificates
from tests.installations import ROOT, until
from tests.redis_servers import RedisServer, stopped_at_a_failure

PASSWORD = "of-the-servers"
SENTINEL_PASSWORD = "of-the-sentinels"
DOWN_AFTER_MS = 1000


def documented_user() -> str:
    """The user of Sentinels as the documentation gives it."""
    page = (ROOT / "docs/operations/redis.md").read_text()
    found = re.search(r"^user boxoffice .+sentinel\|.+$", page, re.MULTILINE)
    assert found is not None, "the page has the line no more"
    return found[0].replace(">PASSWORD", f">{SENTINEL_PASSWORD}")


class Sentinel(RedisServer):
    """One Sentinel; its configuration is a file that it rewrites."""

    def __init__(self, home: Path, primary: RedisServer, certificates: Certificates | None) -> None:
        self._primary = primary
        super().__init__(home, password=SENTINEL_PASSWORD, certificates=certificates)

    def command(self) -> Sequence[str]:
        file = self.home / "sentinel.conf"
        if not file.exists():
            file.write_text(self._configuration())
        return [self.program(), str(file), "--sentinel"]

    def knows_all(self) -> bool:
        """Whether it has found the replica and both other Sentinels."""
        with self.client() as client:
            found = client.sentinel_master("tickets")
        return bool((found["num-slaves"], found["num-other-sentinels"]) == (1, 2))

    def _configuration(self) -> str:
        words = iter(self.listening())
        options = "\n".join(
            f"{name.removeprefix('--')} {value}" for name, value in zip(words, words, strict=True)
        )
        return f"""\
bind {HOST}
{options}
dir {self.home}
requirepass {SENTINEL_PASSWORD}
sentinel sentinel-pass {SENTINEL_PASSWORD}
{documented_user()}
sentinel monitor tickets {HOST} {self._primary.port} 2
sentinel auth-pass tickets {PASSWORD}
sentinel down-after-milliseconds tickets {DOWN_AFTER_MS}
sentinel failover-timeout tickets 2000
"""


class Watched:
    """One primary, one replica and three Sentinels, which know them as "tickets"."""

    def __init__(self, home: Path, certificates: Certificates | None = None) -> None:
        self._certificates = certificates
        options = ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]
        server = partial(RedisServer, password=PASSWORD, certificates=certificates)
        self.sentinels: list[Sentinel] = []
        self.primary = server(home / "primary", *options)
        self.replica = self.primary
        with stopped_at_a_failure(self):
            self.replica = server(home / "replica", *options, "--replicaof", f"{HOST} {self.primary.port}")
            for number in range(3):
                self.sentinels.append(Sentinel(home / f"sentinel-{number}", self.primary, certificates))
            until(self.replica.is_linked)
            until(lambda: all(each.knows_all() for each in self.sentinels))

    @property
    def url(self) -> str:
        """redis+sentinel://… of all Sentinels, or rediss+sentinel://…."""
        hosts = ",".join(f"{HOST}:{each.port}" for each in self.sentinels)
        sentinels = f"sentinel_username=boxoffice&sentinel_password={SENTINEL_PASSWORD}"
        if self._certificates is None:
            return f"redis+sentinel://:{PASSWORD}@{hosts}/tickets?{sentinels}"
        authority = f"ssl_ca_certs={self._certificates.ca_file}"
        return f"rediss+sentinel://:{PASSWORD}@{hosts}/tickets?{sentinels}&{authority}"

    def stop(self) -> None:
        """Stop all."""
        for each in [*self.sentinels, self.replica, self.primary]:
            each.kill()
