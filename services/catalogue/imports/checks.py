"""Checking listings: an event is complete, or every reason why not is noted."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from db.queries.venues import VenueDescription
from domain.currencies import digits_of
from domain.errors import InvalidInput
from domain.korean_cities import city_in
from domain.money import CURRENCIES, Money
from domain.seating import GeneralAdmission, build_seat_map
from domain.text_input import line, name, optional_name, paragraphs
from domain.timezones import is_timezone
from services.catalogue.imports.listings import EventRecord, Given, Listing, Offer, Place, Time, VenueRecord

T = TypeVar("T")

GENERAL_ADMISSION = "General admission"
_NO_EVENT = UUID(int=0)
_LONGEST_KEY = 500
# Decimal takes more: 1_000, 1e3, NaN, the digits of every script.
_AMOUNT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def checked_event(listing: Listing, given: Given, venues: Mapping[str, VenueRecord]) -> EventRecord | None:
    """The event of a listing; None where it is refused: then `listing.faults` says every reason."""
    known = venues.get(listing.venue_key or "")
    zone = _zone(listing, given, known)
    venue = _venue(listing, given, zone)
    title = _taken(listing, lambda: name(_needed(listing.name, "name"), "name"))
    starts_at = _moment(listing, "start", listing.start, zone, needed=True)
    ends_at = _moment(listing, "end", listing.end, zone)
    if starts_at and ends_at and ends_at <= starts_at:
        listing.refuse("end: must be later than the start.")
    sections = _sections(listing, given, known.capacity if known else None)
    performers = [_performer(listing, who) for who in listing.performers]
    category = _taken(listing, lambda: optional_name(listing.category, "category", most=100))
    description = _taken(listing, lambda: paragraphs(listing.description or "", "description"))
    key = _taken(listing, lambda: _key(listing, title, starts_at, venue))
    on_sale_at = _moment(listing, "on_sale", listing.on_sale, zone)
    off_sale_at = _moment(listing, "off_sale", listing.off_sale, zone)
    if on_sale_at and off_sale_at and off_sale_at <= on_sale_at:
        listing.refuse("off_sale: must be later than on_sale.")
    if listing.faults or not (title and starts_at and venue and key):
        return None
    return EventRecord(
        file=listing.file,
        line=listing.line,
        key=key,
        name=title,
        description=description or "",
        category=category,
        starts_at=starts_at,
        ends_at=ends_at,
        on_sale_at=on_sale_at,
        off_sale_at=off_sale_at,
        venue=venue,
        performers=tuple(dict.fromkeys(who for who in performers if who)),
        performer_keys=tuple(dict.fromkeys(listing.performer_keys)),
        sections=sections,
    )


def checked_venue(place: Place, given: Given) -> VenueDescription:
    """The venue of a place, with what is given for what the file does not say.

    Raises:
        InvalidInput: A part is missing or wrong; the message has a line for each.
    """
    listing = Listing("", 0)
    venue = _described(listing, place, given, place.timezone or given.timezone)
    if venue is None:
        raise InvalidInput("\n".join(listing.faults))
    return venue


def _taken(listing: Listing, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except InvalidInput as error:
        listing.refuse(error.message)
        return None


def _performer(listing: Listing, who: str) -> str | None:
    return _taken(listing, lambda: name(who, "performers"))


def _needed(value: str | None, field: str, option: str = "") -> str:
    if value is None or not value.strip():
        raise InvalidInput(f"{field}: is missing{f'; give --{option}' if option else ''}.")
    return value


def _zone(listing: Listing, given: Given, venue: VenueRecord | None) -> ZoneInfo | None:
    place = listing.place.timezone if listing.place else None
    known = venue.description.timezone if venue else None
    named = _taken(
        listing, lambda: _needed(listing.timezone or place or known or given.timezone, "timezone", "timezone")
    )
    if named is None:
        return None
    if not is_timezone(named):
        listing.refuse(f"timezone: {named[:40]!r} is no IANA name such as Asia/Seoul.")
        return None
    return ZoneInfo(named)


def _venue(listing: Listing, given: Given, zone: ZoneInfo | None) -> VenueDescription | str | None:
    if listing.venue_key is not None:
        return listing.venue_key
    if listing.place is None:
        listing.refuse("venue: is missing.")
        return None
    return _described(listing, listing.place, given, zone.key if zone else None)


def _described(listing: Listing, place: Place, given: Given, timezone: str | None) -> VenueDescription | None:
    country = place.country or given.country
    in_address = city_in(place.address or "") if country == "KR" else None
    city = place.city or in_address or given.city
    if city is None and given.city_at and place.lat is not None and place.lng is not None:
        city = given.city_at(place.address or "", place.lat, place.lng)
    if (place.lat is None) != (place.lng is None):
        listing.refuse("venue: lat and lng come together.")
    for field, value, most in (("lat", place.lat, 90), ("lng", place.lng, 180)):
        if value is not None and not -most <= value <= most:
            listing.refuse(f"venue.{field}: must be within {most} degrees either side of 0.")
    venue_name = _taken(listing, lambda: name(_needed(place.name, "venue.name"), "venue.name"))
    city = _taken(listing, lambda: name(_needed(city, "venue.city", "city"), "venue.city"))
    address = _taken(listing, lambda: optional_name(place.address, "venue.address", most=500))
    country = _taken(listing, lambda: optional_name(country, "venue.country"))
    zone = _taken(listing, lambda: _needed(timezone, "timezone", "timezone"))
    if zone is not None and not is_timezone(zone):
        listing.refuse(f"timezone: {zone[:40]!r} is no IANA name such as Asia/Seoul.")
    if listing.faults or not (venue_name and city and zone):
        return None
    return VenueDescription(venue_name, address, city, country, place.lat, place.lng, zone)


def _moment(
    listing: Listing, field: str, time: Time | None, zone: ZoneInfo | None, *, needed: bool = False
) -> datetime | None:
    if time is None:
        if needed:
            listing.refuse(f"{field}: is missing.")
        return None
    if not isinstance(time, datetime):
        listing.refuse(f"{field}: {time.isoformat()} has no time of day.")
        return None
    return _taken(listing, lambda: instant(time, zone, field)) if zone else None


def instant(time: datetime, zone: ZoneInfo, field: str) -> datetime:
    """The instant of a time at a place, in UTC.

    Raises:
        InvalidInput: It is a time that a clock change skips or repeats, or its offset is not the place's.
    """
    if not 1900 <= time.year <= 9000:
        raise InvalidInput(f"{field}: must be between the years 1900 and 9000.")
    if time.tzinfo is not None:
        return _with_offset(time, zone, field)
    first, second = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == time
        change = "comes twice" if exists else "is skipped"
        clock = f"{change} by a clock change in {zone.key}"
        raise InvalidInput(f"{field}: {time.isoformat()} {clock}; give it with its UTC offset.")
    return first.astimezone(UTC)


def _with_offset(time: datetime, zone: ZoneInfo, field: str) -> datetime:
    moment = time.astimezone(UTC)
    there = moment.astimezone(zone)
    # Times in UTC are instants; another offset is a claim about the place.
    if time.utcoffset() and time.utcoffset() != there.utcoffset():
        raise InvalidInput(
            f"{field}: {time.isoformat()} has not the UTC offset of {zone.key} at that time, {there:%z}."
        )
    return moment


def _sections(listing: Listing, given: Given, at_venue: int | None) -> tuple[GeneralAdmission, ...]:
    place = listing.place.capacity if listing.place else None
    house = next(
        (each for each in (listing.capacity, place, at_venue, given.capacity) if each is not None), None
    )
    offers = listing.offers or [Offer()]
    if len(offers) == 1:
        own = offers[0].capacity
        offers = [replace(offers[0], capacity=house if own is None else own)]
    sections = [_section(listing, offer, given) for offer in offers]
    if any(section is None for section in sections):
        return ()
    complete = tuple(section for section in sections if section)
    try:
        build_seat_map(_NO_EVENT, None, [], complete)
    except InvalidInput as error:
        listing.refuse(
            error.message.replace("generalAdmission[0].", "") if len(complete) == 1 else error.message
        )
    return complete


def _section(listing: Listing, offer: Offer, given: Given) -> GeneralAdmission | None:
    price = _taken(listing, lambda: _price(offer, given))
    if offer.capacity is None:
        listing.refuse("capacity: is missing; give --capacity.")
    if price is None or offer.capacity is None:
        return None
    return GeneralAdmission(offer.name or GENERAL_ADMISSION, offer.capacity, price)


def _price(offer: Offer, given: Given) -> Money:
    currency, amount = (
        offer.currency or given.currency,
        offer.price if offer.price is not None else given.price,
    )
    if currency is None or amount is None:
        missing = [field for field, value in (("price", amount), ("currency", currency)) if value is None]
        raise InvalidInput("; ".join(f"{field}: is missing; give --{field}" for field in missing) + ".")
    if currency not in CURRENCIES:
        raise InvalidInput(f"currency: {currency[:8]!r} is not an ISO 4217 currency code.")
    return Money(minor_units(amount, currency), currency)


def minor_units(text: str, currency: str) -> int:
    """The minor units of an amount such as "24.50".

    Raises:
        InvalidInput: It is no number, or has more decimals than the currency.
    """
    amount = Decimal(text.strip()) if _AMOUNT.fullmatch(text.strip()) else None
    if amount is None or abs(amount) >= Decimal(10) ** 15:
        raise InvalidInput(f"price: {text[:40]!r} is not a number such as 24.50.")
    minor = amount * 10 ** digits_of(currency)
    if minor != int(minor):
        raise InvalidInput(
            f"price: {text[:40]} has more than the {digits_of(currency)} decimals of {currency}."
        )
    if minor < 0:
        raise InvalidInput("price: must not be negative.")
    return int(minor)


def _key(
    listing: Listing, title: str | None, starts_at: datetime | None, venue: VenueDescription | str | None
) -> str:
    """The listing's own key, or one that the same event has in the next import."""
    if listing.key is not None and listing.key.strip():
        return line(listing.key, "id", most=_LONGEST_KEY)
    place = venue if isinstance(venue, str) else f"{venue.name}|{venue.city}" if venue else ""
    facts = f"{title}|{starts_at.isoformat() if starts_at else ''}|{place}"
    return hashlib.sha256(facts.encode()).hexdigest()[:32]
