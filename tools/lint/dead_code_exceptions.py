"""What looks unused and is not, with the reason: read by tools/lint/dead_code.py."""

from typing import NamedTuple

USED_BY_DECORATOR = (
    "@strawberry.*",  # fields of the schema
    "@fault*",  # the fault catalogue
    "@pytest.fixture*",
    "@pytest.hookimpl*",
    "@rule*",  # steps and invariants of hypothesis's state machines
    "@invariant*",
    "@initialize*",
    "@override",  # the base class calls it
)
FIELDS = frozenset({"variable", "property", "method"})
METHOD = frozenset({"method"})
VARIABLE = frozenset({"variable"})


class CodeException(NamedTuple):
    """Definitions of these kinds and names (shell patterns, separated by spaces) in these files are used."""

    files: str
    kinds: frozenset[str]
    names: str
    reason: str


EXCEPTIONS = (
    CodeException(
        "*", frozenset({"attribute"}), "*", "an attribute may keep an object alive, or a library reads it"
    ),
    CodeException("schema/*.py", FIELDS, "*", "fields and enum values of the SDL: Strawberry reads them"),
    CodeException("resolvers/*.py", FIELDS, "*", "fields of rows that Strawberry reads by name"),
    CodeException(
        "services/ordering/next_step.py", VARIABLE, "redirect_url", "a field that Strawberry reads by name"
    ),
    CodeException(
        "services/tickets/*.py",
        frozenset({"function"}),
        "ticket_of_secret voids_since",
        "documents and doors will call them",
    ),
    CodeException("domain/ticket_keys.py", METHOD, "public_keys", "a door's bundle will hold them"),
    CodeException("db/models/*.py", VARIABLE, "*", "columns: SQLModel reads them"),
    CodeException("db/models/*.py", frozenset({"class"}), "SweepMark", "a table: SQLModel registers it"),
    CodeException("db/queries/*.py", FIELDS, "*", "columns of rows that are filled and read by name"),
    CodeException(
        "db/migrations/versions/*.py",
        frozenset({"variable", "function"}),
        "down_revision branch_labels depends_on downgrade",
        "Alembic reads them",
    ),
    CodeException("search/documents.py", VARIABLE, "price_to", "a field of the search engine's documents"),
    CodeException("domain/states.py", VARIABLE, "BOX_OFFICE PARTNER", "values that clients read"),
    CodeException("domain/price_lines.py", VARIABLE, "TAX DISCOUNT", "values that clients read"),
    CodeException("domain/layout.py", VARIABLE, "border_color", "a field of the layout's document"),
    CodeException("payments/gateway.py", VARIABLE, "PENDING failure_message", "what a gateway may answer"),
    CodeException("*/outcomes.py", VARIABLE, "*", "codes and fields that the scripts return"),
    CodeException("reservations/keys.py", VARIABLE, "deadlines", "by the name in a script's header"),
    CodeException("tools/lint/lua_headers.py", VARIABLE, "key_types repeats", "read by the test of callers"),
    CodeException("reservations/connection.py", METHOD, "pack_commands", "redis-py calls it"),
    CodeException("telemetry/*.py", frozenset({"property"}), "*", "read by the name of a figure"),
    CodeException("transport/documents/variables.py", METHOD, "enter_*", "graphql-core's visitor calls them"),
    CodeException(
        "transport/executor/runs.py", frozenset({"property"}), "field_name", "part of resolve info"
    ),
    CodeException(
        "[bt]*/*.py",
        METHOD,
        "data_received eof_received pause_writing resume_writing",
        "asyncio calls the methods of a protocol",
    ),
    CodeException("benchmarks/broadcasters.py", METHOD, "on_ws_*", "picows calls them"),
    CodeException(
        "benchmarks/fanout.py", VARIABLE, "*_ms *_per_1000", "columns of the table that is printed"
    ),
    CodeException("tests/faults/test_proxy.py", VARIABLE, "Ends", "a type alias for annotations in quotes"),
    CodeException(
        "tests/integration/ordering/test_order_machine.py", METHOD, "teardown", "hypothesis calls it"
    ),
    CodeException("tests/*.py", VARIABLE, "pytestmark", "pytest reads it"),
    CodeException("tests/*.py", METHOD, "do_POST log_message", "http.server calls them"),
    CodeException(
        "tests/integration/transport/test_event_streams.py",
        frozenset({"unreachable_code"}),
        "raise",
        "the yield after it makes the function a generator",
    ),
    CodeException("tests/transport/clients.py", METHOD, "capture_signals", "uvicorn calls it"),
    CodeException("commands/serve.py", METHOD, "capture_signals", "uvicorn calls it"),
    CodeException("services/catalogue/imports/linked_data.py", METHOD, "handle_*", "html.parser calls them"),
    CodeException("tests/transport/zoo.py", FIELDS, "*", "fields of the test schema"),
)
