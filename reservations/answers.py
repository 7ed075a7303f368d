"""The arguments and answers of the scripts: typed values to text, and back."""

from collections.abc import Sequence
from typing import Any

from domain.ticket_limits import LimitKeys, TicketLimits
from kit.lua import Argument
from reservations.outcomes import Candidate, Correction, Delta, FreeRange, LiveHold


def listed(places: Sequence[int]) -> str:
    """Places as text, comma separated."""
    return ",".join(map(str, places))


def places_from(text: str) -> tuple[int, ...]:
    """Places from text, comma separated."""
    return tuple(map(int, text.split(","))) if text else ()


def candidate_arguments(candidates: Sequence[Candidate] | FreeRange, limits: TicketLimits) -> list[Argument]:
    """The last arguments of hold.lua: the range of general admission, the limits, then the candidates."""
    limited: list[Argument] = [owner_text(limits.keys), limits.per_person, limits.unpaid_per_network]
    if isinstance(candidates, FreeRange):
        return [f"{candidates.first_place},{candidates.capacity},{candidates.quantity}", *limited]
    return ["", *limited, *map(_candidate_text, candidates)]


def owner_text(keys: LimitKeys) -> str:
    """PERSON|ADDRESS|ACCOUNT|NETWORK: eight digits of the account tell a guest's accounts apart."""
    account = str(keys.account or "")[-8:]
    return f"{keys.person or ''}|{keys.address or ''}|{account}|{keys.network or ''}"


def _candidate_text(candidate: Candidate) -> str:
    rows = ",".join(f"{first}-{last}" for first, last in candidate.segments)
    return f"{listed(candidate.places)}|{rows}"


def correction_arguments(corrections: Sequence[Correction]) -> list[Argument]:
    """The last arguments of correct.lua, seven for each place."""
    arguments: list[Argument] = []
    for each in corrections:
        deadline = "" if each.deadline_ms is None else each.deadline_ms
        arguments += [each.place, each.seen, each.seen_hold, each.state, each.hold, deadline]
        arguments.append(owner_text(each.owner))
    return arguments


def hold_arguments(holds: Sequence[LiveHold]) -> list[Argument]:
    """The last arguments of build.lua, four for each hold."""
    arguments: list[Argument] = []
    for hold in holds:
        deadline: Argument = "" if hold.booked else "+inf"
        if hold.deadline_ms is not None:
            deadline = hold.deadline_ms
        arguments += [hold.hold_id, listed(hold.places), deadline, owner_text(hold.owner)]
    return arguments


def delta_from(entry: Any) -> Delta:
    """From one entry of the delta stream, as Redis sends it or as its client has parsed it."""
    identifier, fields = entry
    text = fields[b"d"] if isinstance(fields, dict) else fields[1]
    changes = tuple((part[:1], places_from(part[1:])) for part in text.decode().split(";"))
    return Delta(int(identifier.split(b"-")[0]), changes)


def pairs_from(answer: Any) -> list[tuple[bytes, bytes]]:
    """The fields of a hash, as Redis sends them or as its client has parsed them."""
    if isinstance(answer, dict):
        return list(answer.items())
    return list(zip(answer[::2], answer[1::2], strict=True))


def info_from(info: Any) -> dict[str, str]:
    """The fields of an answer to INFO, as Redis sends it or as its client has parsed it."""
    if isinstance(info, dict):
        return {name: str(value) for name, value in info.items()}
    lines = info.decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def own_slots_from(nodes: bytes) -> str:
    """The slots of the node that has answered to CLUSTER NODES, such as "0-5460 5462"."""
    own = next(line for line in nodes.decode().splitlines() if "myself" in line.split(" ")[2])
    return " ".join(own.split(" ")[8:])
