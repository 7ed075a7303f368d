"""The scripts by name, each with its keys in order, by their names in keys.py.

A test compares this table with the headers of the scripts, and the headers with the code.
"""

from pathlib import Path

from kit.lua import load_scripts

FOLDER = Path(__file__).parent / "lua"
_CURRENT = ("meta", "queue", "active", "admissions")
_ALL_STATES = (*_CURRENT, "past", "away", "journal")
_TAKE_UP = ("offered", "passed", "returned")

SCRIPT_KEYS: dict[str, tuple[str, ...]] = {
    "open": ("meta",),
    "close": ("meta", "offered"),
    "restore": (*_CURRENT, "past", "passed", "returned"),
    "reopen": ("meta",),
    "join": (*_ALL_STATES, *_TAKE_UP, "network"),
    "entry": (*_CURRENT, "past", "away", *_TAKE_UP),
    "end": (*_ALL_STATES, "gone", *_TAKE_UP),
    "away": ("meta", "queue", "away"),
    "check": _CURRENT,
    "admit": (*_ALL_STATES, "gone", *_TAKE_UP),
    "confirm": ("meta", "journal"),
}

SCRIPTS = load_scripts(FOLDER, SCRIPT_KEYS)
