"""schema.org's JSON-LD: a document of its own, or the scripts of an HTML page.

Pages are read with the parser of the standard library: all that is wanted of them is the text of the scripts
of type application/ld+json, for which extruct would bring fourteen packages and no release since 2024.
"""

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from json.decoder import JSONObject  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

from domain.errors import InvalidInput
from domain.hidden_characters import without_hidden_characters
from services.catalogue.imports.json_lines import iso_time
from services.catalogue.imports.listings import Listing, Offer, Place, Time

_SCRIPT_TYPE = "application/ld+json"
_MOST_SCRIPTS = 1_000
# Parts of an event that may be events themselves, and are not for sale by it.
_ELSEWHERE = frozenset({"superEvent", "previousEvent", "workFeatured", "location", "performer", "organizer"})
_GONE = ("cancelled", "postponed", "movedonline")
_NOT_FOR_SALE = ("soldout", "outofstock", "discontinued", "reserved")
_REPEATS = ("repeatFrequency", "repeatCount", "byDay", "byMonth", "byMonthDay")
# What old pages hide a script behind, and what many leave after its end.
_BEFORE = re.compile(r"\s*(?://\s*)?(?:<!--|<!\[CDATA\[)")
_AFTER = re.compile(r"\s*(?://\s*)?(?:-->|\]\]>)?\s*;?\s*\Z")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")


class Node(dict[str, Any]):
    """An object of a document, with the line on which it begins."""

    line = 1


class _Decoder(json.JSONDecoder):
    """A decoder that notes the line of each object; lines are counted from `first_line`."""

    def __init__(self, first_line: int = 1) -> None:
        super().__init__(strict=False)
        self._first_line = first_line
        self._counted = (0, first_line)
        self.parse_object = self._object
        self.scan_once = py_make_scanner(self)

    def _object(self, position: tuple[str, int], *rest: Any) -> tuple[Node, int]:
        text, start = position
        line = self._line_of(text, start)
        found, end = JSONObject(position, *rest)
        node = Node(found)
        node.line = line
        return node, end

    def _line_of(self, text: str, position: int) -> int:
        counted, line = self._counted
        line += text.count("\n", counted, position)
        self._counted = position, line
        return line


class _Scripts(HTMLParser):
    """The texts of a page's JSON-LD scripts, each with the line on which it begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, str]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").split(";")[0].strip().lower()
        self._open = tag == "script" and kind == _SCRIPT_TYPE

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            hidden = _BEFORE.match(data)
            start = hidden.end() if hidden else 0
            script = data[start : _AFTER.search(data).start()]  # type: ignore[union-attr]
            self.found.append((self.getpos()[0] + data.count("\n", 0, start), script))

    def handle_endtag(self, tag: str) -> None:
        self._open = False


def read_document(file: str, text: str) -> Iterator[Listing]:
    """Read a listing from each event of a JSON-LD document.

    Raises:
        InvalidInput: It is not JSON.
    """
    return _listings(file, [_parsed(file, text, 1)])


def read_page(file: str, text: str) -> Iterator[Listing]:
    """Read a listing from each event in the JSON-LD scripts of an HTML page.

    Raises:
        InvalidInput: A script is not JSON, or there is none.
    """
    scripts = _Scripts()
    scripts.feed(text)
    scripts.close()
    if not scripts.found:
        raise InvalidInput(f"{file} is a page without a script of type {_SCRIPT_TYPE}.")
    return _listings(file, [_parsed(file, script, line) for line, script in scripts.found[:_MOST_SCRIPTS]])


def is_event(value: object) -> bool:
    """Whether a value is an object of schema.org's Event or of a type beneath it."""
    return isinstance(value, dict) and any(
        (name.endswith("Event") and name not in ("DeliveryEvent", "PublicationEvent")) or name == "Festival"
        for name in _types(value)
    )


def _parsed(file: str, text: str, line: int) -> Any:
    try:
        return _Decoder(line).decode(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{file}:{line + error.lineno - 1}: this is not JSON: {error.msg}.") from None
    except RecursionError:
        raise InvalidInput(f"{file}: objects are nested too deeply.") from None


def _listings(file: str, documents: list[Any]) -> Iterator[Listing]:
    by_id: dict[str, Node] = {}
    for node in _nodes(documents):
        known, key = by_id.get(str(node.get("@id"))), node.get("@id")
        if isinstance(key, str) and (known is None or len(node) > len(known)):
            by_id[key] = node
    seen: set[int] = set()
    for node in _events(documents):
        full = by_id.get(str(node.get("@id")), node) if len(node) == 1 else node
        # A festival that is only the sum of its dates is not sold itself.
        is_series = "subEvent" in full and "offers" not in full
        if id(full) not in seen and is_event(full) and not is_series:
            seen.add(id(full))
            yield _Event(file, full, by_id).read()


def _nodes(value: Any) -> Iterator[Node]:
    """Every object of a document."""
    waiting = [value]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, Node):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _events(value: Any) -> Iterator[Node]:
    """The events of a document in its order; not those that are a part of another object's description."""
    waiting = [value]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, Node):
            if is_event(value):
                yield value
            waiting[:0] = [part for name, part in value.items() if name not in _ELSEWHERE]
        elif isinstance(value, list):
            waiting[:0] = value


def _types(value: dict[str, Any]) -> list[str]:
    return [name.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in _texts(value.get("@type"))]


def _texts(value: Any) -> list[str]:
    """The texts of a value: one, several, or such with a language."""
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, dict):
        return _texts(value.get("@value"))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return []
    # Many sites write a name as HTML: "Rock &#038; Roll".
    shown = _ENTITY.sub(lambda entity: html.unescape(entity[0]), str(value))
    text = without_hidden_characters(shown).strip()
    return [text] if text else []


def _term(value: Any) -> str:
    """The name of one of schema.org's terms, however it is written; "" where there is none.

    E.g. SoldOut for "SoldOut", "https://schema.org/SoldOut", "schema:SoldOut" and {"@id": "schema:SoldOut"}.
    """
    first = value[0] if isinstance(value, list) and value else value
    text = _text(first.get("@id")) if isinstance(first, dict) and "@id" in first else _text(first)
    return re.split(r"[/:#]", text or "")[-1]


def _text(value: Any) -> str | None:
    return next(iter(_texts(value)), None)


class _Event:
    """One event, whose properties are read into a listing."""

    def __init__(self, file: str, node: Node, by_id: dict[str, Node]) -> None:
        self._node = node
        self._by_id = by_id
        self._listing = Listing(file, node.line)

    def read(self) -> Listing:
        """Read what the event has, and note what cannot be read."""
        node, listing = self._node, self._listing
        self._refuse_unsold()
        listing.key = _text(node.get("@id")) or _text(node.get("identifier")) or _text(node.get("url"))
        listing.name = _text(node.get("name"))
        listing.description = _text(node.get("description"))
        listing.start = self._time("startDate")
        listing.end = self._time("endDate")
        listing.timezone = _text(self._one("eventSchedule").get("scheduleTimezone"))
        listing.place = self._place()
        listing.performers = self._names("performer") or self._names("performers")
        listing.capacity = self._capacity()
        listing.offers = self._offers()
        return listing

    def _refuse_unsold(self) -> None:
        """Refuse what does not take place at one time and place."""
        status = _term(self._node.get("eventStatus")).lower().removeprefix("event")
        if status in _GONE:
            self._listing.refuse(
                f"eventStatus: the event is {status.replace('movedonline', 'moved online')}."
            )
        if _term(self._node.get("eventAttendanceMode")).lower().startswith("online"):
            self._listing.refuse("eventAttendanceMode: the event is online only.")
        if any(name in self._one("eventSchedule") for name in _REPEATS):
            self._listing.refuse(
                "eventSchedule: a repeated event is not taken; list each date as an event of its own."
            )

    def _capacity(self) -> int | None:
        """The tickets that are left at the place, as far as the event says it."""
        names = ("remainingAttendeeCapacity", "maximumPhysicalAttendeeCapacity", "maximumAttendeeCapacity")
        counts = [self._count(self._node.get(name), name) for name in names]
        return next((count for count in counts if count is not None), None)

    def _all(self, value: Any) -> list[Any]:
        """The values of a property as a list, with references replaced by what they refer to."""
        values = value if isinstance(value, list) else [] if value is None else [value]
        return [
            self._by_id.get(str(each["@id"]), each)
            if isinstance(each, dict) and set(each) == {"@id"}
            else each
            for each in values
        ]

    def _one(self, name: str, of: dict[str, Any] | None = None) -> dict[str, Any]:
        """The first object of a property; {} where there is none."""
        values = self._all((self._node if of is None else of).get(name))
        return next((each for each in values if isinstance(each, dict)), {})

    def _names(self, name: str) -> list[str]:
        values = self._all(self._node.get(name))
        names = [_text(each.get("name")) if isinstance(each, dict) else _text(each) for each in values]
        return [each for each in names if each]

    def _time(self, name: str, of: dict[str, Any] | None = None) -> Time | None:
        texts = _texts((self._node if of is None else of).get(name))
        if len(set(texts)) > 1:
            self._listing.refuse(f"{name}: is there more than once; list each date as an event of its own.")
        text = texts[0] if texts else None
        try:
            return iso_time(text, name) if text else None
        except InvalidInput as error:
            self._listing.refuse(error.message)
            return None

    def _place(self) -> Place | None:
        values = self._all(self._node.get("location"))
        places = [each for each in values if isinstance(each, dict) and "VirtualLocation" not in _types(each)]
        if not places:
            self._listing.refuse("location: there is no Place with a name and an address.")
            return None
        place = places[0]
        if any(other != place for other in places):
            self._listing.refuse("location: there are several places; list each as an event of its own.")
        address = self._one("address", place)
        geo = self._one("geo", place)
        written = _text(place.get("address")) or ", ".join(
            part for part in map(_text, (address.get("streetAddress"), address.get("postalCode"))) if part
        )
        country = self._one("addressCountry", address).get("name") or address.get("addressCountry")
        return Place(
            name=_text(place.get("name")),
            address=written or None,
            city=_text(address.get("addressLocality")),
            country=_text(country),
            lat=self._degrees(geo, "latitude"),
            lng=self._degrees(geo, "longitude"),
            capacity=self._count(place.get("maximumAttendeeCapacity"), "location.maximumAttendeeCapacity"),
        )

    def _degrees(self, geo: dict[str, Any], name: str) -> float | None:
        text = _text(geo.get(name))
        try:
            return float(text) if text else None
        except ValueError:
            self._listing.refuse(f"geo.{name}: {text!r} is not a number of degrees.")
            return None

    def _count(self, value: Any, name: str) -> int | None:
        """A whole number, bare or as the value of a QuantitativeValue."""
        text = _text(value.get("value")) if isinstance(value, dict) and "value" in value else _text(value)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            self._listing.refuse(f"{name}: {text[:40]!r} is not a whole number.")
            return None
        return int(text)

    def _offers(self) -> list[Offer]:
        offers: list[dict[str, Any]] = []
        for offer in self._all(self._node.get("offers")):
            if isinstance(offer, dict):
                offers += [each for each in self._all(offer.get("offers")) if isinstance(each, dict)] or [
                    offer
                ]
        if not offers:
            is_free = _text(self._node.get("isAccessibleForFree")) or self._node.get("isAccessibleForFree")
            return [Offer(price="0" if is_free is True or str(is_free).lower() == "true" else None)]
        self._listing.on_sale = self._common_time(offers, "validFrom", "availabilityStarts")
        self._listing.off_sale = self._common_time(offers, "validThrough", "availabilityEnds")
        return [self._offer(offer) for offer in offers]

    def _common_time(self, offers: list[dict[str, Any]], *names: str) -> Time | None:
        """The time that all offers have under one of these names: all sections of an event open together."""
        times = [next((time for name in names if (time := self._time(name, each))), None) for each in offers]
        if len(set(times)) > 1:
            self._listing.refuse(f"offers: {names[0]} is not the same for all; list those of one time only.")
        return times[0]

    def _offer(self, offer: dict[str, Any]) -> Offer:
        availability = _term(offer.get("availability"))
        if availability.lower() in _NOT_FOR_SALE:
            self._listing.refuse(f"offers: one is {availability}.")
        if len(self._all(offer.get("priceSpecification"))) > 1:
            self._listing.refuse("offers: one has several prices; list each as an offer of its own.")
        priced = self._one("priceSpecification", offer)
        if str(priced.get("valueAddedTaxIncluded")).lower() == "false":
            self._listing.refuse("offers: a price without tax is not what a buyer pays.")
        price = _text(priced.get("price")) or _text(offer.get("price"))
        if price is None and "lowPrice" in offer:
            price, highest = _text(offer.get("lowPrice")), _text(offer.get("highPrice"))
            if price != highest:
                self._listing.refuse("offers: a lowPrice is not a price; list each offer.")
        currency = _text(priced.get("priceCurrency")) or _text(offer.get("priceCurrency"))
        capacity = self._count(offer.get("inventoryLevel"), "offers.inventoryLevel")
        return Offer(_text(offer.get("name")), price, currency, capacity)
