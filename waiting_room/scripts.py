"""The scripts by name, each with its keys in order, by their names in keys.py.

A test compares this table with the headers of the scripts, and the headers with the code.
"""

from pathlib import Path

from kit.lua import load_scripts

FOLDER = Path(__file__).parent / "lua"
_CURRENT = ("meta", "queue", "active", "admissions")
_ALL_STATES = (*_CURRENT, "past", "away", "journal")

SCRIPT_KEYS: dict[str, tuple[str, ...]] = {
    "open": ("meta",),
    "close": ("meta",),
    "restore": (*_CURRENT, "past"),
    "reopen": ("meta",),
    "join": (*_ALL_STATES, "network"),
    "entry": (*_CURRENT, "past", "away"),
    "end": (*_ALL_STATES, "gone"),
    "away": ("meta", "queue", "away"),
    "check": _CURRENT,
    "admit": (*_ALL_STATES, "gone"),
    "confirm": ("meta", "journal"),
}

SCRIPTS = load_scripts(FOLDER, SCRIPT_KEYS)
