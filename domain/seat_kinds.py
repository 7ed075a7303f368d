"""What the name of a category says about its seats, in the languages that plans are written in.

A category is for wheelchairs, for those who come with their users, or has a restricted view.
"""

import re
import unicodedata
from enum import Enum

# The beginnings of words, without accents and in lower case: "rollstuhl" is in Rollstuhlplätze too. With "!"
# a whole word; in scripts without spaces between words any part of one.
_WHEELCHAIR = """
    wheelchair|wheel chair|accessib|disabled|reduced mobility
    rollstuhl|rolli!|rollis!|barrierefrei|behindert|schwerbehindert
    fauteuil roulant|fauteuils roulants|mobilite reduite|pmr!|handicap
    silla de ruedas|sillas de ruedas|movilidad reducida|discapacitad|minusvalid
    cadeira de rodas|cadeiras de rodas|cadeirante|mobilidade reduzida
    sedia a rotelle|sedie a rotelle|carrozzin|disabili
    rolstoel|mindervalid
    rullstol|rullestol|korestol|pyoratuoli|hjolastol|ratastool
    wozek|wozk|niepelnosprawn|vozik|vozick|kerekesszek|mozgasserult|invalidsk|scaun rulant|scaun cu rotile
    tekerlekli|engelli|αμαξιδι|αναπηρ|αμεα
    инвалид|колясо|маломобил|ограниченными возможностями|інвалід|візок|візк|візоч
    휠체어|장애인|車椅子|車いす|車イス|轮椅|輪椅|无障碍|無障礙
    כיסא גלגלים|כסא גלגלים|כיסאות גלגלים|נגיש|كرسي متحرك|الكراسي المتحركة
    xe lan|kursi roda|วีลแชร์|รถเข็น
"""
_COMPANION = """
    companion|carer!|carers!|caregiver|personal assistant
    begleit|accompagn|acompanant|acompanhant|begeleid|ledsag|avustaj|saattaj
    opiekun|doprovod|sprievod|kisero|insotitor|refakatci|συνοδ|сопровожд|супровод|придружител
    동반|보호자|同伴|介助|付き添い|付添|陪同|陪伴|陪护|מלווה|مرافق|pendamping
"""
_RESTRICTED_VIEW = """
    restricted view|restricted sight|restricted visibility|limited view|limited visibility
    obstructed|partial view
    sichtbehindert|sichteinschrankung|eingeschrankte sicht|eingeschrankter sicht
    visibilite reduite|visibilite partielle|visibilite limitee|vue partielle|vue reduite
    visibilidad reducida|vision reducida|vision parcial|visibilidad parcial|visibilidad limitada|vista parcial
    visibilidade reduzida|visibilidade parcial|visao parcial|visao reduzida
    visibilita ridotta|visibilita limitata|visibilita parziale|beperkt zicht|slecht zicht
    begransad sikt|skymd sikt|begraenset udsyn|begrenset sikt
    ograniczona widocznosc|omezeny vyhled|korlatozott latas
    ограниченный обзор|ограниченная видимость|ограниченной видимостью|обмежений огляд|обмежена видимість
    시야제한|시야 제한|시야방해|시야 방해|見切れ|視界制限|視野受限|视线受阻|視線受阻|視線不良|视线不良
"""
# "Stalls (no wheelchair access)" is not for wheelchairs.
_DENIED = re.compile(r"\b(?:no|not|non|inaccessible|kein|keine|nicht|sans|sin|senza|geen)\b|불가|ない|不可")
# "Wheelchair and companion" names both; without such a word it is the companion's: "Wheelchair companion".
_BOTH = re.compile(
    r"[+&/]|\b(?:and|und|mit|plus|inkl|incl|with|et|avec|y|con|e|com|en|met|och|og|ja|z|a|и|с)\b"
    r"|및|와\b|과\b|와 |과 |と|和|与|及"
)


class SeatKind(Enum):
    """Whose place a seat is, or what is special about it."""

    ORDINARY = "ordinary"
    WHEELCHAIR = "wheelchair"
    COMPANION = "companion"
    RESTRICTED_VIEW = "restricted view"


def kind_of_category(name: str) -> SeatKind:
    """The kind of the seats of a category, by its name."""
    words = _folded(name)
    if _RESTRICTED_WORDS.search(words):
        return SeatKind.RESTRICTED_VIEW
    wheelchair = _WHEELCHAIR_WORDS.search(words) and not _DENIED.search(words)
    if _COMPANION_WORDS.search(words) and not (wheelchair and _BOTH.search(words)):
        return SeatKind.COMPANION
    return SeatKind.WHEELCHAIR if wheelchair else SeatKind.ORDINARY


def _folded(text: str) -> str:
    """Lower case without accents, with single spaces between words; hyphens and underscores are spaces."""
    lower = unicodedata.normalize("NFKC", text).casefold()
    apart = unicodedata.normalize("NFD", lower.translate(_LETTERS))
    plain = "".join(char for char in apart if unicodedata.category(char) != "Mn" or char in _KEPT_MARKS)
    return " ".join(re.sub(r"[-_‐-―]", " ", unicodedata.normalize("NFC", plain)).split())


# Letters that are no accented ones to Unicode.
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
# Voiced kana and Thai vowels are marks to Unicode, and other letters without them.
_KEPT_MARKS = frozenset("\u3099\u309a" + "".join(map(chr, range(0x0E31, 0x0E4F))))


def _any_of(parts: str) -> re.Pattern[str]:
    names = [part.strip() for line in parts.split("\n") for part in line.split("|") if part.strip()]
    return re.compile("|".join(map(_pattern, names)))


def _pattern(part: str) -> str:
    name = _folded(part.removesuffix("!"))
    begins = r"\b" if _SPACED.match(name) else ""
    return begins + re.escape(name) + (r"\b" if part.endswith("!") else "")


# Latin, Greek and Cyrillic put spaces between words and nothing before them.
_SPACED = re.compile(r"[a-z\u0370-\u03ff\u0400-\u04ff]")
_WHEELCHAIR_WORDS = _any_of(_WHEELCHAIR)
_COMPANION_WORDS = _any_of(_COMPANION)
_RESTRICTED_WORDS = _any_of(_RESTRICTED_VIEW)
