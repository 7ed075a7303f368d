"""The client of buyers and organisers: HTTP with a timeout; every call is recorded."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from faults.history import Call, History, Outcome

ORDER = """order { id status expiresAt tickets { id placeId status } }"""
ENTRY = "entry { state position admission { token } }"
_QUERIES = ("order", "entry")
DOCUMENTS = {
    "reserve": f"""mutation ($input: ReserveInput!) {{ reserve(input: $input) {{
      __typename ... on ReserveSuccess {{ {ORDER} }} ... on UserError {{ code message }} }} }}""",
    "pay": f"""mutation ($input: PayInput!) {{ pay(input: $input) {{
      __typename ... on PaySuccess {{ {ORDER} clientSecret }} ... on UserError {{ code message }} }} }}""",
    "release": f"""mutation ($input: ReleaseOrderInput!) {{ releaseOrder(input: $input) {{
      __typename ... on ReleaseOrderSuccess {{ {ORDER} }} ... on UserError {{ code message }} }} }}""",
    "refund": f"""mutation ($input: RefundOrderInput!) {{ refundOrder(input: $input) {{
      __typename ... on RefundOrderSuccess {{ {ORDER} }} ... on UserError {{ code message }} }} }}""",
    "order": f"""query ($id: ID!) {{ {ORDER.replace("order", "order(id: $id)", 1)} }}""",
    "rename": """mutation ($input: UpdateEventInput!) { updateEvent(input: $input) {
      __typename ... on EventSuccess { event { id } } ... on UserError { code message } } }""",
    "cancel": """mutation ($input: EventIdInput!) { cancelEvent(input: $input) {
      __typename ... on EventSuccess { event { id } } ... on UserError { code message } } }""",
    "publish": """mutation ($input: EventIdInput!) { publishEvent(input: $input) {
      __typename ... on EventSuccess { event { id } } ... on UserError { code message } } }""",
    "configure_waiting_room": """mutation ($input: ConfigureWaitingRoomInput!) {
      configureWaitingRoom(input: $input) {
      __typename ... on EventSuccess { event { id } } ... on UserError { code message } } }""",
    "join": f"""mutation ($input: JoinQueueInput!) {{ joinQueue(input: $input) {{
      __typename ... on JoinQueueSuccess {{ {ENTRY} }} ... on UserError {{ code message }} }} }}""",
    "leave": """mutation ($input: LeaveQueueInput!) { leaveQueue(input: $input) {
      __typename ... on LeaveQueueSuccess { left } ... on UserError { code message } } }""",
    "entry": f"query ($eventId: ID!) {{ {ENTRY.replace('entry', 'queueEntry(eventId: $eventId)', 1)} }}",
    "create": """mutation ($input: CreateEventInput!) { createEvent(input: $input) { __typename
      ... on EventSuccess { event { id seatMap { sections { id name } } } }
      ... on UserError { code message } } }""",
}
TIMEOUT_SECONDS = 6.0
# Codes that are expected while a part is unavailable; any other code in `errors` is a defect.
_PART_UNAVAILABLE = ("UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED")


@dataclass(slots=True)
class RecordingClient:
    """A client of one installation that records its calls."""

    base_url: str
    history: History
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        # One connection a call, so that any process may answer it.
        limits = httpx.Limits(max_keepalive_connections=0, max_connections=200)
        self.client = httpx.AsyncClient(limits=limits, trust_env=False, timeout=TIMEOUT_SECONDS)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def call(
        self,
        actor: str,
        operation: str,
        given: dict[str, Any],
        token: str,
        *,
        key: str | None = None,
        order: str | None = None,
        disconnect_after: float | None = None,
        **detail: Any,
    ) -> Call:
        """Makes one call and records its outcome; after `disconnect_after` seconds the client disconnects."""
        call = Call(actor, operation, time.time(), key, order, detail=detail)
        variables = given if operation in _QUERIES else {"input": given}
        try:
            async with asyncio.timeout(disconnect_after or TIMEOUT_SECONDS):
                response = await self.client.post(
                    f"{self.base_url}/graphql",
                    json={"query": DOCUMENTS[operation], "variables": variables},
                    headers={"Authorization": f"Bearer {token}"},
                )
            _read(call, response.json())
        except (httpx.HTTPError, TimeoutError, ValueError) as fault:
            call.code = "DISCONNECTED" if disconnect_after else type(fault).__name__
        except asyncio.CancelledError:
            call.code = "STOPPED"
            self.history.record(call)
            raise
        return self.history.record(call)


def _read(call: Call, body: dict[str, Any]) -> None:
    """Reads the outcome of a call from its response."""
    if body.get("errors"):
        call.code = str(body["errors"][0].get("extensions", {}).get("code"))
        call.outcome = Outcome.UNKNOWN if call.code in _PART_UNAVAILABLE else Outcome.FAILED
        return
    answer = next(iter(body["data"].values()))
    if answer is None:
        call.outcome, call.code = Outcome.FAILED, "NOTHING"
    elif "code" in answer:
        call.outcome, call.code = Outcome.FAILED, answer["code"]
    else:
        call.outcome = Outcome.OK
        _read_order(call, answer.get("order", answer))
        for name in ("clientSecret", "event", "entry"):
            if name in answer:
                call.detail[name] = answer[name]
        if call.operation == "entry":
            call.detail["entry"] = answer


def _read_order(call: Call, order: dict[str, Any]) -> None:
    if "tickets" not in order:
        return
    call.order, call.status = order["id"], order["status"]
    call.tickets = tuple(ticket["id"] for ticket in order["tickets"])
    call.places = tuple(ticket["placeId"] for ticket in order["tickets"])
    if order["expiresAt"] is not None:
        call.expires = datetime.fromisoformat(order["expiresAt"]).timestamp()
