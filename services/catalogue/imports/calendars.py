"""iCalendar (RFC 5545), read by the package icalendar.

The format has no price, capacity, currency and city: X-PRICE, X-CAPACITY, X-CURRENCY, X-CITY and X-COUNTRY
of an event say them, or the importing person does.
"""

import re
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Component, Timezone

from domain.errors import InvalidInput
from domain.timezones import is_timezone
from services.catalogue.imports.listings import Listing, Offer, Place, Time

_BEGIN = re.compile(rb"^BEGIN:VEVENT[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_UTC = frozenset({"UTC", "Etc/UTC"})  # instants, and no place's zone
_ADDRESS_OF_PAGE = re.compile(r"https?://\S+$", re.IGNORECASE)
_REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")


def read_calendars(file: str, content: bytes) -> Iterator[Listing]:
    """Read a listing from each VEVENT of a file.

    Raises:
        InvalidInput: The file as a whole is no iCalendar.
    """
    try:
        with warnings.catch_warnings():
            # A guess at a TZID is checked by its offset like any other.
            warnings.simplefilter("ignore")
            calendars = Calendar.from_ical(content.decode("utf-8-sig"), multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        raise InvalidInput(f"{file} is not iCalendar: {error}.") from None
    lines = (content.count(b"\n", 0, match.start()) + 1 for match in _BEGIN.finditer(content))
    for calendar in calendars:
        own_zones = {str(zone.get("TZID")): zone for zone in calendar.walk("VTIMEZONE")}
        for component in calendar.walk("VEVENT"):
            listing = Listing(file, next(lines, 0))
            event = _Event(component, listing, own_zones, _text(calendar, "X-WR-TIMEZONE"))
            event.read(cancelled=(_text(calendar, "METHOD") or "").upper() == "CANCEL")
            yield listing


def _text(component: Component, name: str) -> str | None:
    value = component.get(name)
    return str(value).strip() or None if isinstance(value, str) else None


class _Event:
    """One VEVENT, whose properties are read into a listing."""

    def __init__(
        self, component: Component, listing: Listing, own_zones: dict[str, Any], calendar_zone: str | None
    ) -> None:
        self._component = component
        self._listing = listing
        self._own_zones = own_zones
        self._calendar_zone = calendar_zone

    def read(self, *, cancelled: bool) -> None:
        """Read what the event has, and note what cannot be read."""
        listing = self._listing
        for name, reason in self._component.errors:
            listing.refuse(f"{name or 'VEVENT'}: {reason}.")
        if any(name in self._component for name in _REPEATS):
            listing.refuse("RRULE: a repeated event is not taken; list each date as an event of its own.")
        if cancelled or (self._text("STATUS") or "").upper() == "CANCELLED":
            listing.refuse(f"{'METHOD' if cancelled else 'STATUS'}: the event is cancelled.")
        listing.key = self._text("UID")
        listing.name = self._text("SUMMARY")
        listing.description = self._text("DESCRIPTION")
        listing.category = self._category()
        listing.start = self._time("DTSTART")
        listing.end = self._end(listing.start)
        listing.timezone = listing.timezone or self._calendar_zone
        listing.place = self._place()
        listing.capacity = self._capacity()
        listing.offers = [Offer(None, self._text("X-PRICE"), self._text("X-CURRENCY"))]

    def _text(self, name: str) -> str | None:
        if isinstance(self._component.get(name), list):
            self._listing.refuse(f"{name}: is there more than once.")
        return _text(self._component, name)

    def _whole(self, name: str) -> Any:
        """A property's value; None where it is missing or was refused."""
        return (
            None if any(broken == name for broken, _ in self._component.errors) else self._component.get(name)
        )

    def _category(self) -> str | None:
        value = self._whole("CATEGORIES")
        first = value[0] if isinstance(value, list) and value else value
        names = [str(each) for each in getattr(first, "cats", [])]
        return names[0] if names else None

    def _place(self) -> Place | None:
        location = self._text("LOCATION")
        if location is None:
            self._listing.refuse("LOCATION: is missing.")
            return None
        if _ADDRESS_OF_PAGE.match(location):
            self._listing.refuse("LOCATION: is a page and no place.")
            return None
        name = re.split(r"[,\n]", location)[0].strip()
        address = " ".join(location.split())
        lat, lng = self._position()
        city, country = self._text("X-CITY"), self._text("X-COUNTRY")
        return Place(name, address if address != name else None, city, country, lat, lng)

    def _position(self) -> tuple[float | None, float | None]:
        value = self._whole("GEO")
        return getattr(value, "latitude", None), getattr(value, "longitude", None)

    def _capacity(self) -> int | None:
        text = self._text("X-CAPACITY")
        if text is None:
            return None
        if not text.isascii() or not text.isdigit():
            self._listing.refuse(f"X-CAPACITY: {text[:40]!r} is not a whole number.")
            return None
        return int(text[:9])

    def _end(self, start: Time | None) -> Time | None:
        if "DTEND" in self._component:
            return self._time("DTEND")
        length = getattr(self._whole("DURATION"), "dt", None)
        return start + length if isinstance(length, timedelta) and isinstance(start, datetime) else None

    def _time(self, name: str) -> Time | None:
        value = self._whole(name)
        if value is None:
            return None
        if isinstance(value, list):
            self._listing.refuse(f"{name}: is there more than once.")
            return None
        time, named = value.dt, value.params.get("TZID")
        if str(value.params.get("VALUE", "")).upper() == "DATE" and isinstance(time, datetime):
            return time.date()  # of a day with a TZID icalendar makes the midnight of that zone
        if named and isinstance(time, datetime):
            return self._zoned(name, time, str(named))
        return time if isinstance(time, date) else None

    def _zoned(self, name: str, time: datetime, named: str) -> Time | None:
        """The wall-clock time of a named zone, which becomes the listing's; of another zone the instant."""
        if time.tzinfo is None:
            self._listing.refuse(f"{name}: there is no time zone {named[:40]!r}.")
            return None
        own = self._own_zones.get(named)
        if own is not None and not self._agrees(own, time):
            self._listing.refuse(
                f"{name}: the file's own time zone {named[:40]!r} is not the one of that name."
            )
            return None
        key = getattr(time.tzinfo, "key", None)
        if own is None and key not in _UTC and not (isinstance(key, str) and is_timezone(key)):
            self._listing.refuse(f"{name}: there is no time zone {named[:40]!r}.")
            return None
        if not isinstance(key, str) or not is_timezone(key) or key in _UTC:
            return time
        if self._listing.timezone not in (None, key):
            return time.astimezone(UTC)
        self._listing.timezone = key
        return time.replace(tzinfo=None)

    def _agrees(self, own: Timezone, time: datetime) -> bool:
        """Whether the file's VTIMEZONE has the offset of the zone that icalendar took for its name."""
        own_zone = own.to_tz(lookup_tzid=False)
        return time.replace(tzinfo=own_zone).utcoffset() == time.utcoffset()
