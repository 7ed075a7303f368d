"""The answers of the scripts, converted to typed values."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from waiting_room.outcomes import Change, Joined, Outcome, Standing, Tick, WaitingRoomState, sequence_of

_TICK_FIELDS = 17  # before the admitted users


def joined_from(answer: Sequence[Any], network: str, cost: int) -> Joined:
    """From join.lua, with the network's digest and the points that the account took of it."""
    outcome: Outcome = answer[0]
    if outcome is not Outcome.OK:
        return Joined(outcome)
    _, place, change_id, new, left = answer
    sequence = sequence_of(change_id.decode())
    counted = (network, cost) if new == 1 else ("", 0)
    return Joined(outcome, int(float(place)), sequence, new == 1, left == 1, *counted)


def standing_from(answer: Sequence[Any]) -> Standing:
    """From entry.lua."""
    outcome: Outcome = answer[0]
    if outcome is Outcome.WAITING:
        _, place, ordinal, admitted, gone = answer
        known = ordinal if ordinal >= 0 else None
        return Standing(outcome, int(float(place)), known, admitted, gone)
    if outcome is Outcome.ADMITTED:
        return Standing(outcome, nonce=answer[1].decode(), expires_ms=int(float(answer[2])))
    return Standing(outcome)


def tick_from(answer: Sequence[Any]) -> Tick:
    """From admit.lua."""
    count = answer[_TICK_FIELDS - 1]
    people_end = _TICK_FIELDS + count
    return Tick(
        now_ms=answer[1],
        generation=answer[2],
        enabled=answer[3] == b"1",
        selling=answer[4] == b"1",
        drawn_ms=int(answer[5]),
        waiting=answer[6],
        active=answer[7],
        admitted=answer[8],
        gone=answer[9],
        rate_per_minute=float(answer[10]),
        endings=float(answer[11]),
        shopping_ms=float(answer[12]),
        lapsed=answer[13],
        journal=answer[14],
        offers=answer[15],
        newly_admitted=tuple(UUID(bytes=user) for user in answer[_TICK_FIELDS:people_end]),
        places_gone=tuple(int(float(place)) for place in answer[people_end:]),
    )


def change_from(stream_id: bytes, fields: Sequence[bytes] | Mapping[bytes, bytes]) -> Change:
    """From one entry of the journal, as Redis writes it or as its client has parsed it."""
    if isinstance(fields, Mapping):
        values = dict(fields)
    else:
        values = dict(zip(fields[::2], fields[1::2], strict=True))
    return Change(
        stream_id=stream_id.decode(),
        user_id=UUID(bytes=values[b"u"]),
        state=values[b"s"].decode(),
        place=int(float(values.get(b"p", 0))),
        nonce=values.get(b"n", b"").decode(),
        expires_ms=int(values.get(b"x", 0)),
        network=values.get(b"w", b"").decode(),
        points=int(values.get(b"c", 0)),
    )


def state_from(meta: Sequence[bytes | None], waiting: int, active: int) -> WaitingRoomState | None:
    """From the meta hash, in the order of `store._STATE_FIELDS`; None where the room is not ready."""
    ready, enabled, selling, *numbers = meta
    if ready != b"1":
        return None
    counts = [int(number or 0) for number in numbers[:8]]
    rate, endings, shopping_ms = (float(number or 0) for number in numbers[8:])
    drawn_ms, admitted, ended, lapsed, per_minute, max_active, admission_ms, on_sale_ms = counts
    return WaitingRoomState(
        enabled=enabled == b"1",
        selling=selling == b"1",
        drawn_ms=drawn_ms,
        waiting=waiting,
        active=active,
        admitted=admitted,
        ended=ended,
        lapsed=lapsed,
        per_minute=per_minute,
        max_active=max_active,
        admission_ms=admission_ms,
        on_sale_ms=on_sale_ms,
        rate_per_minute=rate,
        endings=endings,
        shopping_ms=shopping_ms,
    )
