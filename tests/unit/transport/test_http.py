"""GraphQL over HTTP beyond the public audits: errors, media types, bodies, persisted documents."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any

import brotli
import httpx
import orjson
import pytest

from tests.transport.clients import in_process
from tests.transport.toy import CountingMeters, World, make_server
from transport import Limits, Operation, RateLimited, ServerOptions, manifest_of

JSON = {"content-type": "application/json"}
STRICT = {"accept": "application/graphql-response+json"}


def code_of(response: httpx.Response) -> str:
    errors = response.json()["errors"]
    assert all(error["extensions"]["code"] for error in errors)
    return str(errors[0]["extensions"]["code"])


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", JSON, 400, "BAD_REQUEST"),
        (b"{", JSON, 400, "BAD_REQUEST"),
        (b"null", JSON, 400, "BAD_REQUEST"),
        (b'"text"', JSON, 400, "BAD_REQUEST"),
        (b"[]", JSON, 400, "BATCHING_NOT_SUPPORTED"),
        (b'[{"query":"{hello}"}]', JSON, 400, "BATCHING_NOT_SUPPORTED"),
        (b"{}", JSON, 400, "BAD_REQUEST"),
        (b'{"query":null}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":1}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":""}', JSON, 400, "GRAPHQL_PARSE_FAILED"),
        (b'{"query":"{hello}","variables":[]}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","variables":"{}"}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","extensions":1}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","operationName":1}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","documentId":1}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","documentId":"md5:1"}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","variables":{"n":1e400}}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","variables":{"n":NaN}}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","variables":{"n":"\\ud800"}}', JSON, 400, "BAD_REQUEST"),
        (b'{"query":"\xff"}', JSON, 400, "BAD_REQUEST"),
        (b'\xef\xbb\xbf{"query":"{hello}"}', JSON, 400, "BAD_REQUEST"),
        ('{"query":"{hello}"}'.encode("utf-16"), JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}","variables":' + b"[" * 5_000, JSON, 400, "BAD_REQUEST"),
        (b'{"query":"{hello}"}', {}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query":"{hello}"}', {"content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            b"query={hello}",
            {"content-type": "application/x-www-form-urlencoded"},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (b"x", {"content-type": "multipart/form-data; boundary=x"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", {"content-type": "application/json; charset=latin-1"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (gzip.compress(b"{}", mtime=0), {**JSON, "content-encoding": "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", {**JSON, "content-length": "many"}, 400, "BAD_REQUEST"),
        (b"{}", {**JSON, "content-length": "9" * 30}, 413, "PAYLOAD_TOO_LARGE"),
        (b'{"query":"{hello}"}', {**JSON, "accept": "image/png"}, 406, "NOT_ACCEPTABLE"),
        (b'{"query":"{hello}"}', {**JSON, "authorization": "Bearer bad"}, 401, "UNAUTHENTICATED"),
        (b'{"query":"subscription{forever}"}', JSON, 406, "NOT_ACCEPTABLE"),
        (b'{"query":"query a{hello} query b{hello}"}', JSON, 400, "OPERATION_RESOLUTION_FAILURE"),
        (b'{"query":"{hello}","operationName":"x"}', JSON, 400, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_request_is_refused_with_a_code_when_it_is_malformed(
    body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    async with in_process(make_server()) as client:
        response = await client.post("/", content=body, headers=headers)
    assert (response.status_code, code_of(response)) == (status, code)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("value", [2**31, 2**63, 10**30, 1.5, "5", True, [], {}, None])
async def test_variable_is_refused_with_400_when_it_does_not_fit_its_type(value: Any) -> None:
    query = "query($n: Int!) { items(first: $n) { id } }"
    raw = b'{"query":"%s","variables":{"n":%s}}' % (query.encode(), _json(value))
    async with in_process(make_server()) as client:
        response = await client.post("/", content=raw, headers=JSON)
    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")


def _json(value: Any) -> bytes:
    return str(value).encode() if type(value) is int else orjson.dumps(value)


async def test_decimal_survives_when_it_is_sent_as_a_variable() -> None:
    async with in_process(make_server()) as client:
        body = {"query": "query($x: Float!) { ratio(of: $x) }", "variables": {"x": 0.1}}
        assert (await client.post("/", json=body)).json() == {"data": {"ratio": 0.1}}


async def test_body_is_refused_unread_when_it_is_above_the_limit() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 100_000

    async with in_process(make_server()) as client:
        response = await client.post("/", content=endless(), headers=JSON)
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")
    assert read <= 12


@pytest.mark.parametrize(
    ("query_string", "status"),
    [
        ("query=%ff", 400),
        ("query={hello}&query={hello}", 400),
        ("query={hello}&variables={", 400),
        ("query={hello}&variables=[]", 400),
        ("", 400),
        ("query=mutation{bump}", 405),
        ("query=subscription{forever}", 405),
    ],
)
async def test_get_is_refused_when_its_parameters_are_malformed(query_string: str, status: int) -> None:
    async with in_process(make_server()) as client:
        response = await client.get(f"/?{query_string}")
    assert response.status_code == status
    assert code_of(response)
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "TRACE", "PURGE"])
async def test_method_is_refused_with_allow_when_it_is_not_served(method: str) -> None:
    async with in_process(make_server()) as client:
        response = await client.request(method, "/")
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


async def test_options_grants_no_other_site_anything_when_a_browser_asks() -> None:
    async with in_process(make_server()) as client:
        response = await client.options("/", headers={"origin": "https://evil.example"})
    assert response.status_code == 204
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("application/json", 200, "application/json"),
        ("application/graphql-response+json", 400, "application/graphql-response+json"),
        ("application/json, application/graphql-response+json", 400, "application/graphql-response+json"),
        ("application/graphql-response+json;q=0.5, application/json", 200, "application/json"),
        ("*/*", 400, "application/json"),
        ("text/html, */*;q=0.1", 400, "application/json"),
    ],
)
async def test_document_error_has_the_status_of_its_media_type_when_it_is_invalid(
    accept: str, status: int, media_type: str
) -> None:
    async with in_process(make_server()) as client:
        response = await client.post("/", json={"query": "{ nope }"}, headers={"accept": accept})
    assert response.status_code == status
    assert response.headers["content-type"].startswith(media_type)
    assert "data" not in response.json()


async def test_unexpected_error_is_masked_under_a_log_id_when_a_resolver_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with in_process(make_server()) as client:
        response = await client.post("/", json={"query": "{ boom }"}, headers=STRICT)
    error = response.json()["errors"][0]
    assert response.status_code == 200
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["path"] == ["boom"]
    assert "swordfish" not in response.text
    assert error["extensions"]["logId"] in caplog.text


async def test_error_keeps_its_code_when_a_resolver_raises_it() -> None:
    async with in_process(make_server()) as client:
        response = await client.post("/", json={"query": "{ refused }"})
    assert code_of(response) == "RATE_LIMITED"


async def test_retry_after_is_sent_when_an_operation_is_not_admitted() -> None:
    async def refuse(_context: Any, _operation: Operation, cost: int) -> None:
        raise RateLimited(retry_after_seconds=cost)

    async with in_process(make_server(options=ServerOptions(admit=refuse))) as client:
        response = await client.post("/", json={"query": "{ hello a: hello }"})
    assert (response.status_code, code_of(response)) == (429, "RATE_LIMITED")
    assert response.headers["retry-after"] == "2"


async def test_cost_is_returned_when_the_request_asks_for_it() -> None:
    async with in_process(make_server()) as client:
        body = {"query": "{ items(first: 7) { id name } }"}
        by_header = await client.post("/", json=body, headers={"x-graphql-cost": "1"})
        in_body = await client.post("/", json=body | {"extensions": {"cost": True}})
    unlimited = {"budget": None, "remaining": None, "resetSeconds": None}
    for response in (by_header, in_body):
        assert response.json()["extensions"]["cost"] == {"requested": 15, "limit": Limits().cost} | unlimited


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("br", "br"), ("gzip, br", "br")])
async def test_body_is_compressed_when_it_is_large_and_the_client_can(accepted: str, encoding: str) -> None:
    async with in_process(make_server()) as client:
        headers = {"accept-encoding": accepted}
        request = client.build_request("POST", "/", json={"query": "{ large }"}, headers=headers)
        response = await client.send(request, stream=True)
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
        small = await client.post("/", json={"query": "{ hello }"}, headers=headers)
    assert response.headers["content-encoding"] == encoding
    plain = gzip.decompress(raw) if encoding == "gzip" else brotli.decompress(raw)
    assert orjson.loads(plain)["data"]["large"].startswith("boxoffice")
    assert "content-encoding" not in small.headers


QUERY = "query($name: String!) { hello(name: $name) }"
DIGEST = hashlib.sha256(QUERY.encode()).hexdigest()
BY_ID = {"documentId": f"sha256:{DIGEST}"}
BY_APOLLO = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": DIGEST}}}


@pytest.mark.parametrize("register", [BY_ID, BY_APOLLO])
@pytest.mark.parametrize("ask", [BY_ID, BY_APOLLO])
async def test_document_runs_by_its_id_when_it_was_registered_either_way(
    register: dict[str, Any], ask: dict[str, Any]
) -> None:
    async with in_process(make_server()) as client:
        variables = {"variables": {"name": "ada"}}
        unknown = await client.post("/", json={**ask, **variables})
        assert (unknown.status_code, code_of(unknown)) == (400, "PERSISTED_QUERY_NOT_FOUND")
        await client.post("/", json={"query": QUERY, **register, **variables})
        posted = await client.post("/", json={**ask, **variables})
        as_text = {
            name: value if isinstance(value, str) else orjson.dumps(value).decode()
            for name, value in ask.items()
        }
        got = await client.get("/", params={**as_text, "variables": '{"name":"ada"}'})
    assert posted.json() == got.json() == {"data": {"hello": "hello ada"}}


async def test_document_stays_unknown_when_it_was_sent_without_its_hash_or_was_refused() -> None:
    async with in_process(make_server()) as client:
        await client.post("/", json={"query": QUERY, "variables": {"name": "ada"}})
        assert code_of(await client.post("/", json=BY_ID)) == "PERSISTED_QUERY_NOT_FOUND"
        bad = "{ nope }"
        name = {"documentId": "sha256:" + hashlib.sha256(bad.encode()).hexdigest()}
        await client.post("/", json={"query": bad, **name})
        assert code_of(await client.post("/", json=name)) == "PERSISTED_QUERY_NOT_FOUND"


async def test_registration_is_refused_when_the_hash_is_another() -> None:
    async with in_process(make_server()) as client:
        for names in (BY_ID, BY_APOLLO):
            response = await client.post("/", json={"query": "{ hello }", **names})
            assert (response.status_code, code_of(response)) == (400, "PERSISTED_QUERY_HASH_MISMATCH")


async def test_only_the_manifest_is_served_when_documents_have_to_be_trusted() -> None:
    options = ServerOptions(trusted_documents_only=True, trusted_documents=[QUERY])
    async with in_process(make_server(options=options)) as client:
        trusted = await client.post("/", json={**BY_ID, "variables": {"name": "ada"}})
        assert trusted.json() == {"data": {"hello": "hello ada"}}
        assert code_of(await client.post("/", json={"query": "{ hello }"})) == "DOCUMENT_NOT_TRUSTED"
        other = "sha256:" + hashlib.sha256(b"{ hello }").hexdigest()
        assert code_of(await client.post("/", json={"documentId": other})) == "PERSISTED_QUERY_NOT_FOUND"
        registering = {"query": "{ hello }", "documentId": other}
        assert code_of(await client.post("/", json=registering)) == "DOCUMENT_NOT_TRUSTED"


async def test_a_manifest_of_apollos_generator_is_read_when_its_version_is_known() -> None:
    # As @apollo/generate-persisted-query-manifest 1.4.0 writes it.
    text = "query Hello {\n  hello\n}"
    digest = "c3480ac7c119a88553b36f3f0ff43583b7c01f3b399dfe074d84b7daad442e38"
    operation = {"id": digest, "name": "Hello", "type": "query", "body": text}
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]}

    assert manifest_of(manifest) == {digest: text}
    for broken in (manifest | {"version": 2}, manifest | {"operations": [operation | {"body": "{ hello }"}]}):
        with pytest.raises(ValueError, match=r"version 1|this hash"):
            manifest_of(broken)


async def test_schema_stays_hidden_when_introspection_and_suggestions_are_off() -> None:
    options = ServerOptions(introspection=False, suggestions=False)
    async with in_process(make_server(options=options)) as client:
        for query in ("{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'):
            assert code_of(await client.post("/", json={"query": query})) == "INTROSPECTION_DISABLED"
        for query in ("{ helo }", "{ hello(nam: 1) }", "{ ... on Quer { hello } }"):
            assert "Did you mean" not in (await client.post("/", json={"query": query})).text
        assert (await client.post("/", json={"query": "{ __typename }"})).json()["data"]
    async with in_process(make_server()) as client:
        assert "Did you mean" in (await client.post("/", json={"query": "{ helo }"})).text


async def test_errors_stay_few_and_short_when_the_document_is_long() -> None:
    async with in_process(make_server()) as client:
        fields = await client.post(
            "/", json={"query": "{ " + " ".join(f"no{n}" for n in range(1_000)) + " }"}
        )
        name = await client.post("/", json={"query": "{ " + "no" * 20_000 + " }"})
        value = await client.post(
            "/",
            json={"query": "query ($n: Int) { items(first: $n) { id } }", "variables": {"n": "9" * 20_000}},
        )
    assert len(fields.json()["errors"]) == 3
    assert "Too many validation errors" in fields.json()["errors"][-1]["message"]
    for answer in (name, value):
        assert [error["message"][:9] for error in answer.json()["errors"]] in (["Cannot qu"], ["Variable "])
        assert len(answer.content) < 2_000


async def test_errors_are_counted_by_code_when_they_happen() -> None:
    meters = CountingMeters()
    async with in_process(make_server(World(), meters=meters)) as client:
        await client.post("/", json={"query": "{ nope }"})
        await client.patch("/")
    assert meters.refusals == ["GRAPHQL_VALIDATION_FAILED", "METHOD_NOT_ALLOWED"]


async def test_a_literal_too_long_for_python_is_the_documents_fault() -> None:
    meters = CountingMeters()
    async with in_process(make_server(meters=meters)) as client:
        for _ in range(2):
            query = f"{{ items(first: {'9' * 4_301}) {{ id }} }}"
            response = await client.post("/", json={"query": query}, headers=STRICT)
            error = response.json()["errors"][0]
            assert (response.status_code, error["extensions"]) == (400, {"code": "GRAPHQL_VALIDATION_FAILED"})


async def test_a_new_document_is_not_parsed_when_its_charge_is_refused() -> None:
    charges: list[tuple[int, int]] = []

    async def charge(_: object, requests: int, cost: int) -> None:
        charges.append((requests, cost))
        if len(charges) > 2:
            raise RateLimited("Slow down.")

    meters = CountingMeters()
    server = make_server(options=ServerOptions(charge=charge), meters=meters)
    long = "{ nope " + " ".join(f"a{number}: hello" for number in range(50)) + " }"
    async with in_process(server) as client:
        answers = [await client.post("/", json={"query": query}) for query in (long, long + "# again")]

    price = 1 + (len(long) - 200) // 10
    assert charges == [(0, price), (1, 10), (0, 1 + (len(long) + 7 - 200) // 10)]
    assert [answer.status_code for answer in answers] == [400, 429]
    assert meters.cache.count(("document", "miss")) == 1
