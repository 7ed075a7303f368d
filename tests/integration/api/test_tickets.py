"""Tickets over GraphQL: a code that verifies once it is booked, and another after it was issued anew."""

from typing import Any

from domain.entry_codes import EntryCode
from domain.ids import Kind, parse_id
from domain.ticket_keys import TicketKeys
from tests.apis import TICKET_KEY, Api, api_on, new_token
from tests.integration.reading.events import GA, publish_event

TICKET = "id status code generation documents { pdfUrl qrUrl calendarUrl appleWalletUrl googleWalletUrl }"
FREE = {**GA, "price": {"amount": 0, "currency": "USD"}}


async def first_ticket(api: Api, order_id: str, token: str) -> dict[str, Any]:
    query = f'{{ order(id: "{order_id}") {{ tickets {{ {TICKET} }} }} }}'
    ticket: dict[str, Any] = (await api.ask(query, token=token)).data["order"]["tickets"][0]
    return ticket


async def test_code_is_answered_once_it_is_booked_and_changes_when_it_is_issued_anew(
    postgres_url: str, redis_url: str
) -> None:
    keys, token = TicketKeys.parse(TICKET_KEY), new_token("buy")
    async with api_on(postgres_url, redis_url) as api:
        event_id = await publish_event(api, new_token("organise"), generalAdmission=[FREE])
        section = f"sec_{event_id.removeprefix('evt_')}_1"
        wanted = {
            "eventId": event_id,
            "selection": {"generalAdmission": {"sectionId": section, "quantity": 1}},
        }
        reserved = await api.mutate("reserve", wanted, token, "... on ReserveSuccess { order { id } }")
        order_id = reserved["order"]["id"]
        held = await first_ticket(api, order_id, token)
        await api.mutate("pay", {"orderId": order_id}, token)
        issued = await first_ticket(api, order_id, token)
        answer = f"... on ReissueTicketSuccess {{ ticket {{ {TICKET} }} }}"
        reissued = (await api.mutate("reissueTicket", {"ticketId": issued["id"]}, token, answer))["ticket"]
        bad = await api.mutate("reissueTicket", {"ticketId": order_id}, token)

    assert (held["status"], held["code"], held["documents"]) == ("HELD", None, None)
    event, ticket = parse_id(event_id, Kind.EVENT), parse_id(issued["id"], Kind.TICKET)
    assert (issued["status"], issued["generation"]) == ("ISSUED", 1)
    assert keys.read(issued["code"]) == EntryCode(event, ticket, 1)
    assert keys.read(reissued["code"]) == EntryCode(event, ticket, 2)
    secret = keys.document_secret(ticket, 1)
    assert issued["documents"] == {
        "pdfUrl": f"http://127.0.0.1:8000/tickets/{secret}.pdf",
        "qrUrl": f"http://127.0.0.1:8000/tickets/{secret}.svg",
        "calendarUrl": f"http://127.0.0.1:8000/tickets/{secret}.ics",
        "appleWalletUrl": None,
        "googleWalletUrl": None,
    }
    assert reissued["documents"]["pdfUrl"] != issued["documents"]["pdfUrl"]
    assert (reissued["id"], reissued["generation"], bad["code"]) == (issued["id"], 2, "INVALID_INPUT")
