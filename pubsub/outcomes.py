"""The codes of the scripts."""

from enum import StrEnum


class Outcome(StrEnum):
    """The first element of every script's answer; the headers say which code means what."""

    FOUND = "FOUND"
    UNKNOWN = "UNKNOWN"
    STORED = "STORED"
    SPENT = "SPENT"
    OVER = "OVER"
