"""The local Stripe (`devservices.stripe`) as a supervised part."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devservices.part import Part
from devservices.ports import HOST, remembered_port
from devservices.process import importable
from devservices.stripe import SIGNING_VARIABLE


class LocalStripe(Part):
    """The local Stripe: Stripe's API and signed webhooks."""

    name = "stripe"

    def __init__(
        self, home: Path, webhook_url: str, webhook_secret: str, port: int = 0, *, other_host: str = ""
    ) -> None:
        super().__init__(home, port)
        self.other_host = other_host
        self.webhook_url = webhook_url
        self.webhook_secret = webhook_secret

    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> None:
        self.port = self.port or remembered_port(self.home / "run" / "stripe.port")

    def command(self) -> Sequence[str]:
        where = ["--port", str(self.port), "--data-dir", str(self.directory)]
        if self.other_host:
            where += ["--other-host", self.other_host]
        return [sys.executable, "-m", "devservices.stripe", *where, "--webhook-url", self.webhook_url]

    def environment(self) -> Mapping[str, str]:
        return {**importable(), SIGNING_VARIABLE: self.webhook_secret}
