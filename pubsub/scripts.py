"""The scripts by name, each with its keys in order, by their names in keys.py.

A test compares this table with the headers of the scripts, and the headers with the code.
"""

from pathlib import Path

from kit.lua import load_scripts

FOLDER = Path(__file__).parent / "lua"
_DOCUMENTS = ("texts", "used", "size")

SCRIPT_KEYS: dict[str, tuple[str, ...]] = {
    "register_document": _DOCUMENTS,
    "recall_document": _DOCUMENTS,
    "spend": ("spent",),
}

SCRIPTS = load_scripts(FOLDER, SCRIPT_KEYS)
