"""The scripts by name, each with the keys it is called with.

A test holds this table against the headers of the files and the headers against the code.
"""

from pathlib import Path

from kit.lua import LuaScript

_FOLDER = Path(__file__).parent / "lua"

SCRIPT_KEYS: dict[str, tuple[str, ...]] = {
    "open": ("meta",),
    "close": ("meta",),
    "restore": ("meta", "line", "active", "admissions", "past"),
    "reopen": ("meta",),
    "join": ("meta", "line", "active", "admissions", "past", "away", "journal", "address"),
    "entry": ("meta", "line", "active", "admissions", "past", "away"),
    "end": ("meta", "line", "active", "admissions", "past", "away", "journal", "gone"),
    "away": ("meta", "line", "away"),
    "check": ("meta", "line", "active", "admissions"),
    "admit": ("meta", "line", "active", "admissions", "past", "away", "journal", "gone"),
    "confirm": ("meta", "journal"),
}

SCRIPTS = {name: LuaScript.load(_FOLDER / f"{name}.lua") for name in SCRIPT_KEYS}
