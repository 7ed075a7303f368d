"""The scripts by name, each with its keys in order, by their names in keys.py.

A test compares this table with the headers of the scripts, and the headers with the code.
"""

from pathlib import Path

from kit.lua import load_scripts

FOLDER = Path(__file__).parent / "lua"
_STATUSES = ("places", "meta", "deltas")
_HOLDS = (*_STATUSES, "claims", "deadlines")

SCRIPT_KEYS: dict[str, tuple[str, ...]] = {
    "hold": (*_HOLDS, "buyers", "refusal"),
    "refuse": ("claims", "refusal"),
    "set_state": _HOLDS,
    "extend": ("meta", "deadlines"),
    "lapse": _HOLDS,
    "block": _STATUSES,
    "correct": (*_HOLDS, "buyers"),
    "build": (*_HOLDS, "buyers"),
    "retire": (*_HOLDS, "buyers"),
    "snapshot": ("places", "meta", "deadlines"),
}

SCRIPTS = load_scripts(FOLDER, SCRIPT_KEYS)
