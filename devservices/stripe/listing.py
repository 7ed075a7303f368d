"""Lists, newest first, with Stripe's cursors and filters, and `expand`."""

from collections.abc import Callable
from typing import Any

from devservices.stripe.documents import Document, page
from devservices.stripe.errors import ApiError, invalid_parameter, no_such
from devservices.stripe.forms import Params
from devservices.stripe.ledger import Ledger

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
EXPANDABLE = {
    "latest_charge": "charge",
    "charge": "charge",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
}


def lister(kind: str, url: str, *filters: str) -> Callable[[Ledger, Params], Document]:
    """An operation that lists documents of this kind; `filters` are fields of the documents."""

    def run(ledger: Ledger, params: Params) -> Document:
        params.only("limit", "created", "starting_after", "ending_before", "types", *filters)
        limit = params.integer("limit", default=10)
        if limit > 100:
            raise invalid_parameter("limit", "This value must be less than or equal to 100.")
        conditions, values = _conditions(ledger, params, filters)
        rows = ledger.store.newest(kind, conditions, values, limit + 1)
        return page(url, rows[:limit], len(rows) > limit)

    return run


def _conditions(ledger: Ledger, params: Params, filters: tuple[str, ...]) -> tuple[list[str], list[object]]:
    found: list[tuple[str, list[object]]] = [*_created(params)]
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if cursor := params.text(name):
            position = ledger.store.position(cursor)
            if position is None:
                raise no_such("object", cursor, name)
            found.append((f"seq {sign} ?", [position]))
    wanted = [(name, params.text(name)) for name in filters]
    found += [(f"json_extract(body, '$.{name}') = ?", [value]) for name, value in wanted if value]
    if types := params.texts("types"):
        marks = ",".join("?" for _ in types)
        found.append((f"json_extract(body, '$.type') IN ({marks})", [*types]))
    return [sql for sql, _ in found], [value for _, values in found for value in values]


def _created(params: Params) -> list[tuple[str, list[object]]]:
    if "created" not in params:
        return []
    if isinstance(params.values["created"], str):
        return [("created = ?", [params.integer("created", least=0)])]
    group = params.group("created")
    group.only(*COMPARISONS)
    return [(f"created {COMPARISONS[name]} ?", [group.integer(name, least=0)]) for name in group.values]


def check_expand(params: Params) -> None:
    """Raises ApiError, before the operation runs, for an `expand` of an unknown field."""
    for path in params.texts("expand"):
        for field in path.removeprefix("data.").split("."):
            if field not in EXPANDABLE:
                raise ApiError(400, f"This property cannot be expanded ({path[:60]}).", param="expand")


def expanded(ledger: Ledger, document: Document, params: Params) -> Document:
    """The document with the referenced objects that `expand` requests."""
    for path in params.texts("expand"):
        _expand(ledger, document, path.split("."))
    return document


def _expand(ledger: Ledger, document: Any, path: list[str]) -> None:
    if isinstance(document, list):
        for one in document:
            _expand(ledger, one, path)
        return
    field, rest = path[0], path[1:]
    if document.get(field) is None:
        return
    if isinstance(document[field], str):
        document[field] = ledger.store.get(EXPANDABLE[field], document[field])
    if rest:
        _expand(ledger, document[field], rest)
