"""The documents of a seat map: read by their addresses, cached for ever."""

from tests.apis import Api, new_token
from tests.integration.reading.events import publish_event


async def test_the_map_is_one_document_when_read_by_its_url(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))
    found = (await api.ask("query ($id: ID!) { event(id: $id) { seatMap { url } } }", {"id": event_id})).data

    response = await api.client.get(found["event"]["seatMap"]["url"])

    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert response.json()["seatCount"] == 12


async def test_the_map_by_rows_is_kept_for_ever_when_read_by_its_url(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))
    query = "query ($id: ID!) { event(id: $id) { seatMap { rowsUrl version seatCount } } }"
    seat_map = (await api.ask(query, {"id": event_id})).data["event"]["seatMap"]

    answer = await api.client.get(seat_map["rowsUrl"], headers={"accept-encoding": "gzip"})

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    document = answer.json()
    assert (document["version"], document["seatCount"]) == (seat_map["version"], 12)
    assert [len(row["x"]) for row in document["sections"][0]["rows"]] == [6, 6]
