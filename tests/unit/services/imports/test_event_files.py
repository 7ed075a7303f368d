"""Files of events: nothing is assumed. What a file does not say is given, or its lines are refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db.queries.venues import VenueDescription
from domain.errors import InvalidInput
from domain.money import Money
from domain.seating import GeneralAdmission
from services.catalogue.imports.listings import EventRecord, Given
from services.catalogue.imports.reading import read_catalogue

EVENT = {
    "id": "a",
    "name": "Spring night",
    "start": "2027-04-03T19:30",
    "timezone": "Australia/Sydney",
    "venue": {"name": "Town Hall", "city": "Sydney"},
    "price": "24.50",
    "currency": "AUD",
    "capacity": 300,
}
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//test//EN
BEGIN:VEVENT
UID:a@example
DTSTAMP:20270101T000000Z
SUMMARY:Spring night
DTSTART;TZID=Australia/Sydney:20270403T193000
DURATION:PT2H
LOCATION:Town Hall\\, 483 George St
X-CITY:Sydney
X-PRICE:24.50
X-CURRENCY:AUD
X-CAPACITY:300
END:VEVENT
END:VCALENDAR
"""
LINKED: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "MusicEvent",
    "@id": "a",
    "name": "Spring night",
    "startDate": "2027-04-03T19:30:00+11:00",
    "location": {
        "@type": "Place",
        "name": "Town Hall",
        "address": {"@type": "PostalAddress", "addressLocality": "Sydney"},
    },
    "maximumAttendeeCapacity": 300,
    "offers": {"@type": "Offer", "price": "24.50", "priceCurrency": "AUD"},
}
OFFER = {"@type": "Offer", "price": 35, "priceCurrency": "AUD", "inventoryLevel": 100}
SYDNEY = Given("Australia/Sydney")
CLOCK = "by a clock change in Australia/Sydney; give it with its UTC offset."
OFFSET = "has not the UTC offset of Australia/Sydney at that time, +1100."
START = datetime(2027, 4, 3, 8, 30, tzinfo=UTC)


def read(folder: Path, content: str, given: Given = Given()) -> list[EventRecord]:  # noqa: B008 - it is frozen
    file = folder / "events"
    file.write_text(content, newline="")
    return read_catalogue(file, given).events


def refused(folder: Path, content: str, given: Given = Given()) -> list[str]:  # noqa: B008 - it is frozen
    with pytest.raises(InvalidInput) as caught:
        read(folder, content, given)
    return caught.value.message.split("\n")[1:]


def line(**changes: Any) -> str:
    """The event as a JSON line; a field that is None is left out."""
    return json.dumps({name: value for name, value in (EVENT | changes).items() if value is not None})


def calendar(*replaced: tuple[str, str]) -> str:
    text = CALENDAR
    for before, after in replaced:
        assert before in text
        text = text.replace(before, after)
    return text


def linked(**changes: Any) -> str:
    found = {name: value for name, value in (LINKED | changes).items() if value is not None}
    return json.dumps(found, indent=1)


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (line(), Given()),
        ("\ufeff" + line() + "\r\n\r\n", Given()),
        (CALENDAR, Given()),
        (CALENDAR.replace("\n", "\r\n"), Given()),
        (linked(), SYDNEY),
        (f"<html><script type='application/ld+json'>{linked()}</script></html>", SYDNEY),
    ],
)
def test_an_event_is_the_same_whatever_format_says_it(tmp_path: Path, content: str, given: Given) -> None:
    (event,) = read(tmp_path, content, given)

    assert (event.name, event.starts_at) == ("Spring night", START)
    assert isinstance(event.venue, VenueDescription)
    assert (event.venue.name, event.venue.city, event.venue.timezone) == (
        "Town Hall",
        "Sydney",
        "Australia/Sydney",
    )
    assert event.sections == (GeneralAdmission("General admission", 300, Money(2450, "AUD")),)


@pytest.mark.parametrize(
    ("missing", "given"),
    [
        ({"timezone": None}, Given(timezone="Australia/Sydney")),
        ({"venue": {"name": "Town Hall"}}, Given(city="Sydney")),
        ({"price": None}, Given(price="24.50")),
        ({"currency": None}, Given(currency="AUD")),
        ({"capacity": None}, Given(capacity=300)),
    ],
)
def test_a_line_is_refused_when_it_lacks_something_and_taken_when_that_is_given(
    tmp_path: Path, missing: dict[str, Any], given: Given
) -> None:
    field = next(
        name for name in ("timezone", "city", "price", "currency", "capacity") if getattr(given, name)
    )

    (sentence,) = refused(tmp_path, line(**missing))
    (event,) = read(tmp_path, line(**missing), given)

    assert sentence.startswith("events:1: ") and f"{field}: is missing; give --{field}." in sentence
    assert (event.starts_at, event.sections[0].price) == (START, Money(2450, "AUD"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"timezone": "localtime"}, "timezone: 'localtime' is no IANA name such as Asia/Seoul."),
        ({"timezone": "Factory"}, "timezone: 'Factory' is no IANA name such as Asia/Seoul."),
        ({"start": "2027-04-03"}, "start: 2027-04-03 has no time of day."),
        ({"start": "tomorrow"}, "start: 'tomorrow' is not a time such as 2027-03-14T19:30+09:00."),
        (
            {"start": "2027-04-04T02:30"},
            f"start: 2027-04-04T02:30:00 comes twice {CLOCK}",
        ),
        (
            {"start": "2027-10-03T02:30"},
            f"start: 2027-10-03T02:30:00 is skipped {CLOCK}",
        ),
        (
            {"start": "2027-04-03T19:30+10:00"},
            f"start: 2027-04-03T19:30:00+10:00 {OFFSET}",
        ),
        ({"end": "2027-04-03T19:00"}, "end: must be later than the start."),
        ({"price": "35,00"}, "price: '35,00' is not a number such as 24.50."),
        ({"price": "24.505"}, "price: 24.505 has more than the 2 decimals of AUD."),
        ({"price": -1}, "price: must not be negative."),
        ({"price": "1_000"}, "price: '1_000' is not a number such as 24.50."),
        ({"start": "20270403"}, "start: 2027-04-03 has no time of day."),
        ({"start": "2027-W14"}, "start: 2027-04-05 has no time of day."),
        (
            {"on_sale": "2027-03-02T10:00", "off_sale": "2027-03-01T10:00"},
            "off_sale: must be later than on_sale.",
        ),
        ({"currency": "EURO"}, "currency: 'EURO' is not an ISO 4217 currency code."),
        ({"capacity": "300"}, "capacity: must be a whole number."),
        ({"venue": None}, "venue: is missing."),
    ],
)
def test_a_line_is_refused_when_a_field_is_wrong(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    assert f"events:2: {sentence}" in refused(tmp_path, f"{line(id='b')}\n{line(**changes)}\n")


def test_every_refused_line_is_named_when_many_have_one_fault(tmp_path: Path) -> None:
    lines = [line(id=str(number), currency=None) for number in range(4)]
    lines[2] = line(id="2")

    assert refused(tmp_path, "\n".join(lines)) == ["events:1-2,4: currency: is missing; give --currency."]


def test_a_second_event_of_one_id_is_refused_when_it_is_another(tmp_path: Path) -> None:
    assert len(read(tmp_path, f"{line()}\n{line()}")) == 1
    assert refused(tmp_path, f"{line()}\n{line(name='Other')}") == [
        "events:2: id: 'a' is that of line 1 too."
    ]


def test_sections_have_their_own_prices_when_a_line_lists_them(tmp_path: Path) -> None:
    sections = [
        {"name": "Floor", "price": 30, "capacity": 200},
        {"name": "Balcony", "price": 50, "capacity": 100},
    ]

    (event,) = read(tmp_path, line(sections=sections, price=None, capacity=None))

    assert event.sections == (
        GeneralAdmission("Floor", 200, Money(3000, "AUD")),
        GeneralAdmission("Balcony", 100, Money(5000, "AUD")),
    )


@pytest.mark.parametrize(
    ("before", "after", "starts_at"),
    [
        ("DTSTART;TZID=Australia/Sydney:20270403T193000", "DTSTART:20270403T083000Z", START),
        ("DTSTART;TZID=Australia/Sydney:20270403T193000", "DTSTART:20270403T193000", START),
        (
            "DTSTART;TZID=Australia/Sydney:20270403T193000",
            "DTSTART;TZID=AUS Eastern Standard Time:20270403T193000",
            START,
        ),
    ],
)
def test_a_calendar_means_the_right_moment_when_it_says_it_otherwise(
    tmp_path: Path, before: str, after: str, starts_at: datetime
) -> None:
    (event,) = read(tmp_path, calendar((before, after)), SYDNEY)

    assert event.starts_at == starts_at


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "Sydney:20270403T193000",
            "Sydney;VALUE=DATE:20270403",
            "start: 2027-04-03 has no time of day.",
        ),
        ("DURATION:PT2H", "RRULE:FREQ=WEEKLY", "RRULE: a repeated event is not taken"),
        ("DURATION:PT2H", "STATUS:CANCELLED", "STATUS: the event is cancelled."),
        ("VERSION:2.0", "VERSION:2.0\nMETHOD:CANCEL", "METHOD: the event is cancelled."),
        ("TZID=Australia/Sydney", "TZID=Mars", "DTSTART: there is no time zone 'Mars'."),
        ("TZID=Australia/Sydney", "TZID=localtime", "DTSTART: there is no time zone 'localtime'."),
        ("TZID=Australia/Sydney", "TZID=Factory", "DTSTART: there is no time zone 'Factory'."),
        ("Town Hall\\, 483 George St", "https://example.com/j/1", "LOCATION: is a page and no place."),
        ("X-CITY:Sydney\n", "", "venue.city: is missing; give --city."),
        ("X-CAPACITY:300", "X-CAPACITY:many", "X-CAPACITY: 'many' is not a whole number."),
    ],
)
def test_a_calendar_event_is_refused_by_its_line_when_it_cannot_be_taken(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    found = refused(tmp_path, calendar((before, after)), SYDNEY if "TZID" in after else Given())

    line_number = 5 if "METHOD" in after else 4
    assert any(each.startswith(f"events:{line_number}: {sentence}") for each in found), found


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"eventStatus": "https://schema.org/EventCancelled"}, "eventStatus: the event is cancelled."),
        ({"eventStatus": "EventPostponed"}, "eventStatus: the event is postponed."),
        ({"eventStatus": "schema:EventCancelled"}, "eventStatus: the event is cancelled."),
        ({"eventStatus": {"@id": "schema:EventPostponed"}}, "eventStatus: the event is postponed."),
        ({"eventStatus": "EventMovedOnline"}, "eventStatus: the event is moved online."),
        (
            {"eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode"},
            "eventAttendanceMode: the event is online only.",
        ),
        (
            {"eventSchedule": {"@type": "Schedule", "repeatFrequency": "P1W"}},
            "eventSchedule: a repeated event is not taken",
        ),
        (
            {"startDate": ["2027-04-03T19:30+11:00", "2027-04-10T19:30+10:00"]},
            "startDate: is there more than once",
        ),
        (
            {"location": [LINKED["location"], LINKED["location"] | {"name": "Opera House"}]},
            "location: there are several places",
        ),
        ({"offers": OFFER | {"availability": "schema:SoldOut"}}, "offers: one is SoldOut."),
        ({"offers": OFFER | {"availability": {"@id": "schema:OutOfStock"}}}, "offers: one is OutOfStock."),
        (
            {"offers": OFFER | {"priceSpecification": [{"price": 10}, {"price": 20}]}},
            "offers: one has several prices",
        ),
        (
            {"offers": OFFER | {"priceSpecification": {"price": 10, "valueAddedTaxIncluded": False}}},
            "offers: a price without tax",
        ),
        (
            {"offers": [OFFER | {"validFrom": "2027-01-01T10:00+11:00"}, OFFER]},
            "offers: validFrom is not the same for all",
        ),
        ({"offers": OFFER | {"price": "35,00"}}, "price: '35,00' is not a number such as 24.50."),
        (
            {"offers": None, "priceRange": "$$"},
            "price: is missing; give --price; currency: is missing; give --currency.",
        ),
        (
            {"location": {"@type": "VirtualLocation", "url": "https://example.com"}},
            "location: there is no Place",
        ),
        ({"offers": None}, "price: is missing; give --price; currency: is missing; give --currency."),
        (
            {"offers": {"@type": "AggregateOffer", "lowPrice": 10, "highPrice": 50, "priceCurrency": "AUD"}},
            "offers: a lowPrice is not a price; list each offer.",
        ),
        (
            {"offers": {"price": 1, "priceCurrency": "AUD", "availability": "https://schema.org/SoldOut"}},
            "offers: one is SoldOut.",
        ),
        (
            {"startDate": "2027-04-03T19:30:00+10:00"},
            "start: 2027-04-03T19:30:00+10:00 has not the UTC offset",
        ),
    ],
)
def test_linked_data_is_refused_when_it_cannot_be_sold(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    found = refused(tmp_path, linked(**changes), SYDNEY)

    assert any(each.startswith(f"events:1: {sentence}") for each in found), found


def test_a_graph_is_read_when_its_events_refer_to_their_places(tmp_path: Path) -> None:
    place = LINKED["location"] | {"@id": "#hall"}
    graph = [
        {"@type": "WebPage", "name": "Programme"},
        place,
        LINKED | {"@id": "b", "@type": ["Event", "Thing"], "location": {"@id": "#hall"}},
        LINKED | {"@id": "c", "startDate": "2027-04-05T19:30:00+10:00", "location": {"@id": "#hall"}},
    ]

    events = read(tmp_path, json.dumps({"@context": "https://schema.org", "@graph": graph}), SYDNEY)

    assert [event.key for event in events] == ["b", "c"]
    assert [event.starts_at.isoformat() for event in events] == [
        "2027-04-03T08:30:00+00:00",
        "2027-04-05T09:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("changes", "capacity"),
    [
        ({"maximumPhysicalAttendeeCapacity": 200}, 200),
        ({"maximumPhysicalAttendeeCapacity": 200, "remainingAttendeeCapacity": 7}, 7),
        ({"location": [{"@type": "VirtualLocation"}, LINKED["location"]]}, 300),
        ({"doorTime": "2027-04-03T18:30:00+11:00"}, 300),
        ({"@type": ["Thing", "schema:MusicEvent"]}, 300),
        ({"offers": OFFER | {"priceSpecification": {"price": "24.50"}, "price": "99"}}, 100),
    ],
)
def test_linked_data_is_read_when_it_says_more_than_is_needed(
    tmp_path: Path, changes: dict[str, Any], capacity: int
) -> None:
    (event,) = read(tmp_path, linked(**changes), SYDNEY)

    (section,) = event.sections
    assert (event.starts_at, section.capacity, section.price) == (START, capacity, Money(2450, "AUD"))


def test_offers_become_sections_that_open_and_close_with_the_sale_when_they_agree(tmp_path: Path) -> None:
    sale = {"validFrom": "2027-01-01T10:00+11:00", "validThrough": "2027-04-03T18:00+11:00"}
    offers = [OFFER | sale | {"name": "Floor"}, OFFER | sale | {"name": "Balcony", "price": "50.00"}]

    (event,) = read(tmp_path, linked(offers=offers), SYDNEY)

    assert event.on_sale_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert event.off_sale_at == datetime(2027, 4, 3, 7, tzinfo=UTC)
    assert [(each.name, each.price.amount) for each in event.sections] == [("Floor", 3500), ("Balcony", 5000)]


def test_a_name_is_as_people_read_it_when_a_site_writes_it_as_html(tmp_path: Path) -> None:
    (event,) = read(tmp_path, linked(name="Rock &#038; Roll &amp; Jazz&#8203;"), SYDNEY)

    assert event.name == "Rock & Roll & Jazz"


@pytest.mark.parametrize(("before", "after"), [("<!--", "//-->"), ("//<![CDATA[", "//]]>"), ("", ";")])
def test_a_script_is_read_when_it_is_hidden_from_old_browsers(
    tmp_path: Path, before: str, after: str
) -> None:
    script = f"{before}\n{linked(description='<b>a</b> & b')}\n{after}"
    page = f"<html>\n<script type='application/ld+json; charset=utf-8'>{script}</script></html>"

    (event,) = read(tmp_path, page, SYDNEY)

    assert (event.starts_at, event.line, event.description) == (START, 3, "<b>a</b> & b")
