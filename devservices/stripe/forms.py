"""Parses form bodies with brackets, as Stripe's clients send them, into nested parameters."""

import re
from typing import Any
from urllib.parse import parse_qsl

from devservices.stripe.documents import Document
from devservices.stripe.errors import ApiError, invalid_parameter

KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
PART = re.compile(r"\[([^\[\]]*)\]")
LARGEST_BODY = 1_000_000
DEEPEST = 10
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500


def nested(body: str) -> Document:
    """`a[b]=1&c[]=2&d[0]=3` as {"a": {"b": "1"}, "c": ["2"], "d": ["3"]}.

    Raises:
        ApiError: 400, a key with unbalanced brackets or with both a value and a group.
    """
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=1000)
    except ValueError as fault:
        raise ApiError(400, f"Invalid request body: {fault}.") from fault
    tree: Document = {}
    for key, value in pairs:
        _insert(tree, key, value)
    return {key: _lists(value) for key, value in tree.items()}


def _insert(tree: Document, key: str, value: str) -> None:
    found = KEY.match(key)
    if not found or key.count("[") > DEEPEST:
        raise ApiError(400, f"Invalid parameter name: {key[:60]}")
    path = [found[1], *PART.findall(found[2])]
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise ApiError(400, f"Invalid parameter name: {key[:60]}")
    tree[path[-1] or str(len(tree))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isascii() and key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(one) for key, one in value.items()}


class Params:
    """Parameters with the checks that Stripe makes before an operation runs.

    Those of a browser are not `strict`: Stripe.js sends many more parameters than are used here.
    """

    def __init__(self, values: Document, strict: bool = True) -> None:
        self.values = values
        self.strict = strict

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def only(self, *known: str) -> None:
        """Raises ApiError on the first parameter that is not `known`."""
        for name in self.values if self.strict else ():
            if name == "payment_method_types":
                sentence = "This API version no longer supports payment_method_types."
                raise invalid_parameter(name, sentence, "payment_method_types_no_longer_supported")
            if name not in known and name != "expand":
                raise invalid_parameter(name, f"Received unknown parameter: {name}", "parameter_unknown")

    def integer(self, name: str, default: int | None = None, least: int = 1) -> int:
        text = self.values.get(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise _missing(name)
        if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise invalid_parameter(name, f"Invalid integer: {str(text)[:40]}", "parameter_invalid_integer")
        if int(text) < least:
            sentence = f"This value must be greater than or equal to {least}."
            raise invalid_parameter(name, sentence, "parameter_invalid_integer")
        return int(text)

    def text(self, name: str, default: str | None = None) -> str | None:
        value = self.values.get(name, default)
        if value is not None and not isinstance(value, str):
            raise invalid_parameter(name, f"Invalid string: {str(value)[:40]}")
        return value or default

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise _missing(name)
        return value

    def choice(self, name: str, options: tuple[str, ...], default: str | None = None) -> str | None:
        value = self.text(name, default)
        if value is not None and value not in options:
            one_of = ", ".join(options[:-1]) + f", or {options[-1]}"
            raise invalid_parameter(name, f"Invalid {name}: must be one of {one_of}")
        return value

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false"), "false") == "true"

    def texts(self, name: str) -> list[str]:
        value = self.values.get(name, [])
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise invalid_parameter(name, "Invalid array")
        return value

    def group(self, name: str) -> "Params":
        value = self.values.get(name) or {}
        if not isinstance(value, dict):
            raise invalid_parameter(name, "Invalid object")
        return Params(value)

    def metadata(self, before: Document) -> Document:
        """The metadata after this request: keys merge, an empty value removes its key."""
        after = dict(before)
        if self.values.get("metadata") == "":
            return {}
        for key, value in self.group("metadata").values.items():
            if not isinstance(value, str) or len(key) > METADATA_KEY_LENGTH:
                raise invalid_parameter(f"metadata[{key[:40]}]", "Metadata keys have at most 40 characters.")
            if len(value) > METADATA_VALUE_LENGTH:
                raise invalid_parameter(f"metadata[{key}]", "Metadata values have at most 500 characters.")
            after[key] = value
        if len(after) > METADATA_KEYS:
            raise invalid_parameter("metadata", "Metadata has at most 50 keys.")
        return {key: value for key, value in after.items() if value}


def _missing(name: str) -> ApiError:
    return invalid_parameter(name, f"Missing required param: {name}.", "parameter_missing")
