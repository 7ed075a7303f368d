"""The orphan-seat rule, written to be read: what hold.lua and domain/free_seats.py are compared with.

A choice may not leave one free seat alone where that can be avoided.
"""

import re
from collections.abc import Iterable

_RUN = re.compile(rb"[AC]+")
_LEFT_FREE = re.compile(rb"A+")


def leaves_orphan(statuses_of_segment: bytes, chosen: Iterable[int]) -> bool:
    """Whether taking `chosen` (offsets in the segment) leaves a single free seat avoidably.

    Within each run of free seats, of which the chosen are part, no hole of exactly one seat may
    remain. A run that is left with one seat in all is excused: any such choice leaves one over. So is a
    seat that was alone before, in a run that nothing is chosen from.
    """
    marked = bytearray(statuses_of_segment)
    for offset in chosen:
        marked[offset] = ord("C")
    return any(_run_leaves_orphan(run.group()) for run in _RUN.finditer(marked))


def _run_leaves_orphan(run: bytes) -> bool:
    left_over = run.count(b"A")
    if left_over == len(run) or left_over == 1:
        return False
    return any(len(hole) == 1 for hole in _LEFT_FREE.findall(run))
