"""Loading Lua scripts, and sending what is in flight at the same moment as one pipeline.

Nothing here knows Redis: the composition root hands in what carries a batch of commands.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kit.batcher import Batcher
from kit.spans import step

Argument = str | bytes | int | float
Command = tuple[Argument, ...]
# Sends commands in order over one connection; an exception among the answers stands for its own command.
SendBatch = Callable[[Sequence[Command]], Awaitable[list[Any]]]


class CommandRunner(Protocol):
    """Runs one Redis command and gives its answer."""

    async def run(self, *command: Argument) -> Any:
        """Raises: whatever the answer was, where it is an exception."""

    async def servers(self) -> Sequence["CommandRunner"]:
        """One for each server that has keys, for commands about a server and not about a key."""


ListServers = Callable[[], Awaitable[Sequence[CommandRunner]]]


@dataclass(frozen=True, slots=True)
class LuaScript:
    """One atomic action: its name, its text and the digest that EVALSHA calls it by."""

    name: str
    text: str
    digest: str

    @classmethod
    def load(cls, path: Path) -> "LuaScript":
        """Read a script from its file; the name is the file's."""
        text = path.read_text(encoding="utf-8")
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return cls(path.stem, text, digest)

    async def __call__(
        self, runner: CommandRunner, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """Run by digest; a server that has lost the script is taught it again, once."""
        with step("redis " + self.name):
            try:
                return await runner.run("EVALSHA", self.digest, len(keys), *keys, *arguments)
            except Exception as error:
                if not str(error).startswith(("NOSCRIPT", "No matching script")):
                    raise
                return await runner.run("EVAL", self.text, len(keys), *keys, *arguments)


class CommandBatcher:
    """Gathers the commands of one turn of the event loop and sends them together.

    A client library spends most of its time a call, not a command: a hundred buyers in flight at the
    same moment cost one write and one read instead of a hundred.
    """

    def __init__(self, send: SendBatch, servers: ListServers | None = None, *, most: int = 256) -> None:
        self._commands = Batcher[Command, Any](send, most=most)
        self._servers = servers

    async def run(self, *command: Argument) -> Any:
        """Queue a command for this turn's batch and wait for its own answer."""
        return await self._commands.ask(command)

    async def servers(self) -> Sequence[CommandRunner]:
        """Itself, where there is one server only."""
        return [self] if self._servers is None else await self._servers()
