"""Persisted documents in Redis: a document that one process registers is known to all."""

from redis.exceptions import RedisError

from kit.lua import Argument, CommandRunner
from pubsub.keys import SIZE, TEXTS, USED
from pubsub.outcomes import Outcome
from pubsub.scripts import SCRIPTS

MOST_BYTES = 64_000_000
# All documents are removed when none was used for this long.
_LIFETIME_SECONDS = 30 * 24 * 3600
_REDIS_ERRORS = (RedisError, OSError, TimeoutError)
_KEYS = (TEXTS, USED, SIZE)


class RedisDocuments:
    """The shared layer of the document store. While Redis does not answer it has no document.

    Clients that are not signed in may register documents, so all texts together are bounded: the least
    recently used are removed first, and their clients register them again.
    """

    def __init__(self, runner: CommandRunner, most_bytes: int = MOST_BYTES) -> None:
        self._runner = runner
        self._most_bytes = most_bytes

    async def get(self, document_hash: str) -> str | None:
        """The text of a document, or None."""
        try:
            code, *text = await SCRIPTS["recall_document"](
                self._runner, _KEYS, [document_hash, _LIFETIME_SECONDS]
            )
        except _REDIS_ERRORS:
            return None
        return str(text[0].decode()) if Outcome(code.decode()) is Outcome.FOUND else None

    async def put(self, document_hash: str, text: str) -> None:
        """Register a document whose hash was checked."""
        arguments: list[Argument] = [document_hash, text, self._most_bytes, _LIFETIME_SECONDS]
        try:
            await SCRIPTS["register_document"](self._runner, _KEYS, arguments)
        except _REDIS_ERRORS:
            return
