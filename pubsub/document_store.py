"""Persisted documents in Redis: registered at one process, known to all."""

from redis.exceptions import RedisError

from kit.lua import CommandRunner

# One that nobody asks for in this long is registered again by whoever still has it.
_LIFETIME_SECONDS = 30 * 24 * 3600
_AWAY = (RedisError, OSError, TimeoutError)


def document_key(document_hash: str) -> str:
    """String: a document's text. Lifetime 30 days from its last use. Owner: `RedisDocuments`."""
    return f"bo:document:{document_hash}"


class RedisDocuments:
    """The far half of the document store. While Redis is away it knows nothing: clients send the text."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    async def get(self, document_hash: str) -> str | None:
        """A document's text, or None."""
        try:
            text = await self._runner.run("GETEX", document_key(document_hash), "EX", _LIFETIME_SECONDS)
        except _AWAY:
            return None
        return None if text is None else str(text.decode())

    async def put(self, document_hash: str, text: str) -> None:
        """Register a document whose hash was checked."""
        try:
            await self._runner.run("SET", document_key(document_hash), text, "EX", _LIFETIME_SECONDS)
        except _AWAY:
            return
