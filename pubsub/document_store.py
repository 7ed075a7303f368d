"""Persisted documents in Redis: registered at one process, known to all."""

from pathlib import Path

from redis.exceptions import RedisError

from kit.lua import Argument, CommandRunner, LuaScript

MOST_BYTES = 64_000_000
# Unused for so long, all of them are forgotten.
_LIFETIME_SECONDS = 30 * 24 * 3600
_AWAY = (RedisError, OSError, TimeoutError)
_REGISTER = LuaScript.load(Path(__file__).parent / "lua" / "register_document.lua")
_RECALL = LuaScript.load(Path(__file__).parent / "lua" / "recall_document.lua")

# Hash: a document's hash to its text. Sorted set: the hashes by their last use, in seconds. Integer: the
# size of all texts, in bytes. Lifetime 30 days from the last use of any. Owner: `RedisDocuments`.
KEYS = ("bo:{documents}:texts", "bo:{documents}:used", "bo:{documents}:size")


class RedisDocuments:
    """The far half of the document store. While Redis is away it knows nothing: clients send the text.

    Anybody may register documents, so they are bounded together: the least recently used go first, and
    are registered again by whoever still has them.
    """

    def __init__(self, runner: CommandRunner, most_bytes: int = MOST_BYTES) -> None:
        self._runner = runner
        self._most_bytes = most_bytes

    async def get(self, document_hash: str) -> str | None:
        """A document's text, or None."""
        try:
            text = await _RECALL(self._runner, KEYS, [document_hash, _LIFETIME_SECONDS])
        except _AWAY:
            return None
        return None if text is None else str(text.decode())

    async def put(self, document_hash: str, text: str) -> None:
        """Register a document whose hash was checked."""
        arguments: list[Argument] = [document_hash, text, self._most_bytes, _LIFETIME_SECONDS]
        try:
            await _REGISTER(self._runner, KEYS, arguments)
        except _AWAY:
            return
