"""Lua scripts for Redis, and a batcher that sends simultaneous commands as one pipeline.

This module has no client: the composition root passes in the function that sends a batch of commands.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kit.batcher import Batcher
from kit.spans import step

Argument = str | bytes | int | float
Command = tuple[Argument, ...]
# Sends commands in order over one connection; an exception among the answers belongs to its own command.
SendBatch = Callable[[Sequence[Command]], Awaitable[list[Any]]]


class CommandRunner(Protocol):
    """Runs Redis commands."""

    async def run(self, *command: Argument) -> Any:
        """Return the command's answer, or raise it where it is an exception."""

    async def servers(self) -> Sequence["CommandRunner"]:
        """A runner for each server that has keys, for commands that have no key."""


# A script takes in a fragment of its own folder by this line; a fragment includes nothing.
_INCLUDE = re.compile(r"^-- include: (\S+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LuaScript:
    """One atomic action: its name, its text and the digest that EVALSHA calls it by."""

    name: str
    text: str
    digest: str

    @classmethod
    def load(cls, path: Path) -> "LuaScript":
        """Read a script and the fragments that it includes; it has the name of its file."""

        def fragment(line: re.Match[str]) -> str:
            return (path.parent / line.group(1)).read_text(encoding="utf-8")

        text = _INCLUDE.sub(fragment, path.read_text(encoding="utf-8"))
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return cls(path.stem, text, digest)

    async def __call__(
        self, runner: CommandRunner, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """Run by digest; send the text where the server does not have the script."""
        with step("redis " + self.name):
            try:
                return await runner.run("EVALSHA", self.digest, len(keys), *keys, *arguments)
            except Exception as error:
                if not str(error).startswith(("NOSCRIPT", "No matching script")):
                    raise
                return await runner.run("EVAL", self.text, len(keys), *keys, *arguments)


def load_scripts(folder: Path, names: Iterable[str]) -> dict[str, LuaScript]:
    """The scripts of a folder by name."""
    return {name: LuaScript.load(folder / f"{name}.lua") for name in names}


class CommandBatcher:
    """Sends the commands of one iteration of the event loop together.

    A client library spends most of its time on calls and not on commands: a hundred simultaneous commands
    cost one write and one read instead of a hundred.
    """

    def __init__(self, send: SendBatch, *, most: int = 256) -> None:
        self._commands = Batcher[Command, Any](send, max_batch=most)

    async def run(self, *command: Argument) -> Any:
        """Add a command to the current batch and wait for its answer."""
        return await self._commands.submit(command)

    async def drain(self) -> None:
        """Wait for the commands under way: nobody may wait for their answers any more."""
        await self._commands.drain()

    async def servers(self) -> Sequence[CommandRunner]:
        """Itself: there is only one server."""
        return [self]
