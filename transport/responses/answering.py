"""Running operations for HTTP, through the response cache where their answers may be shared."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable
from dataclasses import dataclass
from typing import Any

from transport.documents.variables import packed
from transport.execution.engine import Call, Engine
from transport.execution.options import ServerOptions
from transport.protocol.payload import Payload
from transport.protocol.ports import ConnectionInfo

from .answers import Answer
from .cache import ResponseCache

LONGEST_KEY_BYTES = 16_384
"""Answers for variables longer than that are not shared; the cache bounds answers, not keys."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A query that runs already, and has to wait."""

    call: Call
    answer: Awaitable[Answer]


class Answering:
    """Answers prepared operations, each once for all who may read the same answer."""

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

    def begin(self, call: Call, context: Any, info: ConnectionInfo) -> Answer | Awaitable[Answer] | None:
        """Answer without waiting where that can be, or begin; None where nothing has begun: ask `answer`.

        An answer that others may share and that is not kept is left to `answer`, which computes it once.
        """
        key = self._key(call, context, info)
        if key is not None:
            return self._cache.kept(key)
        begun = self._engine.begin(call, context)
        if isinstance(begun, Payload):
            return self._answer_of(begun, context)
        return None if begun is None else self._ended(begun, context)

    async def _ended(self, begun: Awaitable[Payload], context: Any) -> Answer:
        return self._answer_of(await begun, context)

    def _answer_of(self, payload: Payload, context: Any) -> Answer:
        return Answer(payload, personal=self._options.is_personal(context))

    def _key(self, call: Call, context: Any, info: ConnectionInfo) -> Hashable | None:
        """Name all that a shared answer depends on; None where it may not be shared."""
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
        """Who may read the same answer: those of equal rights, or all who show no credentials."""
        rights = self._options.rights(context)
        if rights is not None:
            return rights
        credentials = "authorization" in info.headers or "cookie" in info.headers
        return None if credentials else "anonymous"
