"""Starts `boxoffice` with its parts behind proxies and, for a control run, with one guard taken away.

`python -m faults.launch up ...` is `boxoffice up ...`, but every process that it starts is started
through here too. What is taken away lives in this package alone: the product has no switch for it.
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
"""JSON: the proxy's port by the name of the part that it stands before."""
WITHOUT = "FAULTS_WITHOUT"
"""The name of the guard that is gone; '' for none."""


def main(words: Sequence[str]) -> int:
    """Runs one command of `boxoffice`."""
    lead_through(json.loads(os.environ.get(PROXIES, "{}")))
    Command.command = _command  # type: ignore[method-assign]  # the one place where children are named
    without = os.environ.get(WITHOUT, "")
    if without:
        remove_guard(without)
    return cli.main(words)


def lead_through(proxies: Mapping[str, int]) -> None:
    """Makes `up` tell its processes the proxies' ports in place of the parts'."""
    told = devservices.up.addresses

    def addresses(part: Part, credentials: Credentials) -> dict[str, str]:
        found = told(part, credentials)
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
