"""Prices: each currency's own decimals and limits, and what is shown has the fees in it."""

from typing import Any

import pytest

from tests.apis import Api, new_token
from tests.integration.reading.events import GA, VENUE, create_event, event_input, publish_event

PRICES = """query ($id: ID!) { event(id: $id) {
  priceFrom { amount currency digits } priceTo { amount currency digits }
  seatMap { priceLevels { name price { amount } fee { amount } total { amount currency digits } } }
} }"""


def money(amount: int, currency: str) -> dict[str, Any]:
    """A MoneyInput."""
    return {"amount": amount, "currency": currency}


def floor(amount: int, currency: str, fee: int | None = None) -> dict[str, Any]:
    """The changes of an event with standing places alone, at this price."""
    section = GA | {"price": money(amount, currency)} | ({} if fee is None else {"fee": money(fee, currency)})
    return {"seatingPlan": None, "priceLevels": [], "generalAdmission": [section]}


async def test_prices_have_the_fees_in_them(api: Api) -> None:
    event_id = await create_event(api, organiser := new_token("organise"))

    event = (await api.ask(PRICES, {"id": event_id}, organiser)).data["event"]

    assert event["priceFrom"] == {"amount": 4500, "currency": "USD", "digits": 2}
    assert event["priceTo"] == {"amount": 9350, "currency": "USD", "digits": 2}
    assert event["seatMap"]["priceLevels"] == [
        {
            "name": "Stalls",
            "price": {"amount": 9000},
            "fee": {"amount": 350},
            "total": {"amount": 9350, "currency": "USD", "digits": 2},
        },
        {
            "name": "Floor",
            "price": {"amount": 4500},
            "fee": {"amount": 0},
            "total": {"amount": 4500, "currency": "USD", "digits": 2},
        },
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "digits"),
    [
        (1_499_000, "HUF", 2),
        (25_000_000, "IQD", 3),
        (15_000_000_000, "IDR", 2),
        (999_999_999_999, "IDR", 2),
        (25_000_000, "COP", 2),
        (18_600, "KWD", 3),
        (88_000, "KRW", 0),
        (4_500, "ISK", 0),
        (1_000_000, "MGA", 2),
        (0, "EUR", 2),
    ],
)
async def test_a_price_is_served_as_it_was_given_with_its_decimals(
    api: Api, amount: int, currency: str, digits: int
) -> None:
    event_id = await create_event(api, organiser := new_token("organise"), **floor(amount, currency))

    event = (await api.ask(PRICES, {"id": event_id}, organiser)).data["event"]

    assert event["priceFrom"] == {"amount": amount, "currency": currency, "digits": digits}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            floor(18_605, "KWD"),
            "price.amount: 18.605 KWD cannot be charged: KWD is charged in steps of 0.010 KWD.",
        ),
        (
            floor(18_600, "KWD", 5),
            "fee.amount: 0.005 KWD cannot be charged: KWD is charged in steps of 0.010 KWD.",
        ),
        (
            floor(30, "EUR"),
            "price.amount: 0.30 EUR is less than a card can be charged, 0.50 EUR; 0 makes a ticket free.",
        ),
        (
            floor(40, "JPY"),
            "price.amount: 40 JPY is less than a card can be charged, 50 JPY; 0 makes a ticket free.",
        ),
        (
            floor(100_000_000, "USD"),
            "price.amount: 1,000,000.00 USD is more than a card can be charged, 999,999.99 USD.",
        ),
        (
            floor(1_000_000_000_000, "IDR"),
            "price.amount: 10,000,000,000.00 IDR is more than a card can be charged, 9,999,999,999.99 IDR.",
        ),
        (
            floor(1_050, "MGA"),
            "price.amount: 10.50 MGA cannot be charged: MGA is charged in steps of 1.00 MGA.",
        ),
    ],
)
async def test_an_event_is_refused_when_its_price_cannot_be_charged(
    api: Api, changes: dict[str, Any], sentence: str
) -> None:
    organiser = new_token("organise")
    mine = "{ me { organisedEvents { totalCount } } }"
    before = (await api.ask(mine, {}, organiser)).data["me"]

    answer = await api.mutate("createEvent", event_input(**changes), organiser)

    assert (answer["__typename"], answer["code"]) == ("RequestRefused", "INVALID_INPUT")
    assert answer["message"] == f"generalAdmission[0].{sentence}"
    assert (await api.ask(mine, {}, organiser)).data["me"] == before


async def test_events_are_found_and_sorted_by_what_a_buyer_pays(api: Api) -> None:
    organiser, city = new_token("organise"), "Fee Town"
    venue = VENUE | {"city": city}
    with_fee = await publish_event(api, organiser, **floor(4_000, "USD", 900), venue=venue)
    without = await publish_event(api, organiser, **floor(4_500, "USD"), venue=venue)
    document = """query ($most: MinorUnits) {
      searchEvents(input: {city: "Fee Town", sort: PRICE, priceMax: $most, currency: "USD"}) {
        events { id priceFrom { amount } } facets { field buckets { value count } }
      }
    }"""

    everything = (await api.ask(document)).data["searchEvents"]
    cheap = (await api.ask(document, {"most": 4_899})).data["searchEvents"]

    assert [event["id"] for event in everything["events"]] == [without, with_fee]
    assert [event["priceFrom"]["amount"] for event in everything["events"]] == [4_500, 4_900]
    assert [event["id"] for event in cheap["events"]] == [without]
    bands = next(facet["buckets"] for facet in everything["facets"] if facet["field"] == "priceBand")
    assert bands == [{"value": "USD 2000-5000", "count": 2}]


async def test_nothing_is_held_when_the_sum_cannot_be_charged(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"), **floor(60_000_000, "USD"))
    shown = "query ($id: ID!) { event(id: $id) { seatStatuses { sections { sectionId available held } } } }"
    section = (await api.ask(shown, {"id": event_id})).data["event"]["seatStatuses"]["sections"][0]
    wanted = {"generalAdmission": {"sectionId": section["sectionId"], "quantity": 2}}

    refused = await api.mutate("reserve", {"eventId": event_id, "selection": wanted}, new_token("buy"))

    assert (refused["__typename"], refused["code"]) == ("RequestRefused", "INVALID_INPUT")
    assert refused["message"].startswith("2 tickets come to 1,200,000.00 USD, fees included: one order can")
    assert (await api.ask(shown, {"id": event_id})).data["event"]["seatStatuses"]["sections"] == [section]


@pytest.mark.parametrize("amount", ["4500.0", "1e4", '"4500"', "9007199254740992", "true"])
async def test_an_amount_in_a_document_is_a_whole_number(api: Api, amount: str) -> None:
    answer = await api.ask(f"{{ searchEvents(input: {{priceMax: {amount}}}) {{ total }} }}")

    assert answer.code == "GRAPHQL_VALIDATION_FAILED"


async def test_an_amount_in_variables_may_be_an_integral_number(api: Api) -> None:
    document = "query ($most: MinorUnits) { searchEvents(input: {priceMax: $most}) { total } }"

    assert "total" in (await api.ask(document, {"most": 4500.0})).data["searchEvents"]
    assert "total" in (await api.ask(document, {"most": 999_999_999_999})).data["searchEvents"]
    assert (await api.ask(document, {"most": 4500.5})).code == "BAD_USER_INPUT"
