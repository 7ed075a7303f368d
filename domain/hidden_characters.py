"""Characters that nobody sees: they make two names look alike, or turn the text around them.

Refused in names are the marks of direction (bidirectional embeddings, overrides, isolates and marks), the
zero-width and invisible characters, and the blank letters of Hangul. Allowed is what scripts need:
a zero-width joiner or non-joiner between letters of Arabic, Indic and other joining scripts or after a virama
(RFC 5892, appendix A), joined emoji, the flags that are spelt with tags, and variation selectors.
"""

import re

_VIRAMAS = (
    "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u1039\u103a\u17d2\u1b44"
    "\ua953\ua9c0"
)
# Arabic, Syriac, N'Ko, the scripts of India, Myanmar, Khmer, Mongolian, Balinese, Javanese.
_JOINING = (
    "\u0600-\u061b\u061d-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u180d\u1810-\u18af"
    "\u1b00-\u1b7f\ua840-\ua8ff\ua980-\ua9df\ufb50-\ufdff\ufe70-\ufefc"
)
_EMOJI = "\u00a9\u00ae\u2190-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
_HIDDEN = (
    "\x80-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
_HIDDEN_OR_ALLOWED = re.compile(
    f"{_FLAG}"
    f"|(?<=[{_VIRAMAS}])[\u200c\u200d]"
    f"|(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"
    f"|(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])"
    f"|(?P<hidden>[{_HIDDEN}])"
)


def hidden_character(text: str) -> str | None:
    """Return the first hidden character that no script needs there, e.g. "U+202E"."""
    if text.isascii():
        return None
    found = (match["hidden"] for match in _HIDDEN_OR_ALLOWED.finditer(text))
    first = next((character for character in found if character), None)
    return None if first is None else f"U+{ord(first):04X}"


def without_hidden_characters(text: str) -> str:
    """Return the text without its hidden characters, for authors who cannot be asked to change it."""
    if text.isascii():
        return text
    return _HIDDEN_OR_ALLOWED.sub(lambda match: "" if match["hidden"] else match[0], text)
