"""Starts `boxoffice` with its parts behind proxies and, for a control run, without one guard.

`python -m faults.launch up ...` is `boxoffice up ...`, and its child processes start through this module
too. Guards are removed only in this package: the product has no switch for it.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence

import cli
import devservices.up
from devservices.credentials import Credentials
from devservices.part import Part
from devservices.process import Command
from faults.guards import remove_guard

PROXIES = "FAULTS_PROXIES"
"""JSON: the port of the proxy of each part, by the part's name."""
WITHOUT = "FAULTS_WITHOUT"
"""The name of the removed guard; '' for none."""


def main(words: Sequence[str]) -> int:
    """Runs one command of `boxoffice`."""
    route_through_proxies(json.loads(os.environ.get(PROXIES, "{}")))
    Command.command = _command  # type: ignore[method-assign]  # every child process's command is built there
    without = os.environ.get(WITHOUT, "")
    if without:
        remove_guard(without)
    return cli.main(words)


def route_through_proxies(proxies: Mapping[str, int]) -> None:
    """Makes `up` give its processes the ports of the proxies instead of the parts'."""
    original = devservices.up.addresses

    def addresses(part: Part, credentials: Credentials) -> dict[str, str]:
        found = original(part, credentials)
        if part.name not in proxies:
            return found
        return {
            name: value.replace(f":{part.port}", f":{proxies[part.name]}") for name, value in found.items()
        }

    devservices.up.addresses = addresses


def _command(self: Command) -> Sequence[str]:
    return [sys.executable, "-m", "faults.launch", *self.words]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
