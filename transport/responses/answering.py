"""Answers operations over HTTP, through the response cache where answers may be shared."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from transport.documents.variables import packed
from transport.execution.engine import Call, Engine
from transport.execution.options import ServerOptions
from transport.protocol.payload import Payload
from transport.protocol.ports import ConnectionInfo

from .answers import Answer
from .cache import ResponseCache

LONGEST_KEY_BYTES = 16_384
"""Answers for longer variables are not shared: the cache bounds the bytes of answers, not of keys."""


class Answering:
    """Answers prepared operations, each once for all callers that may share its answer."""

    def __init__(self, engine: Engine, cache: ResponseCache, options: ServerOptions) -> None:
        self._engine = engine
        self._cache = cache
        self._options = options

    async def answer(self, call: Call, context: Any, info: ConnectionInfo) -> Answer:
        """Answer from the cache, or execute."""

        async def compute() -> Answer:
            return self._answer_of(await self._engine.run(call, context), context)

        key = self._key(call, context, info)
        if key is None:
            return await compute()
        policy = call.operation.policy
        ttl_s = min(policy.max_age_s, self._options.response_ttl_s)
        return await self._cache.answer(key, ttl_s, compute)

    def cached(self, call: Call, context: Any, info: ConnectionInfo) -> Answer | None:
        """Return the cached answer that `answer` would return."""
        key = self._key(call, context, info)
        return None if key is None else self._cache.kept(key)

    def _answer_of(self, payload: Payload, context: Any) -> Answer:
        options = self._options
        true_seconds = options.true_seconds(context)
        return Answer(payload, options.is_personal(context), true_seconds, options.response_ttl_s)

    def _key(self, call: Call, context: Any, info: ConnectionInfo) -> Hashable | None:
        """The key of a shared answer: everything it depends on. None where it may not be shared."""
        if not call.operation.policy.shareable or call.wants_cost:
            return None
        rights = self._shared_rights(context, info)
        if rights is None:
            return None
        given = packed(call.variables, call.variables.sources)
        if len(given) > LONGEST_KEY_BYTES:
            return None
        version = self._options.data_version(context, call.operation, call.variables.coerced)
        return (call.operation.name, given, rights, version)

    def _shared_rights(self, context: Any, info: ConnectionInfo) -> Hashable | None:
        """The rights under which an answer is shared; None for credentials whose rights are not known."""
        rights = self._options.rights(context)
        if rights is not None:
            return rights
        credentials = "authorization" in info.headers or "cookie" in info.headers
        return None if credentials else "anonymous"
