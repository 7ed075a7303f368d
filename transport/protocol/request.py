"""One operation as a client requested it, over any protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from .errors import BadRequest

DOCUMENT_ID = re.compile(r"sha256:([0-9a-fA-F]{64})")
SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """The parameters of GraphQL over HTTP, each of its right type."""

    query: str | None
    document_hash: str | None
    operation_name: str | None
    variables: dict[str, Any] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)


def decode_json(data: bytes | str) -> Any:
    """Decode a JSON value strictly. Raises: BadRequest, naming what is wrong."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error.msg}") from error


def read_operation(payload: Any) -> OperationRequest:
    """Check a decoded payload. Raises: BadRequest for any part of a wrong type."""
    if isinstance(payload, list):
        raise BadRequest("Batching is not supported.", code="BATCHING_NOT_SUPPORTED")
    if not isinstance(payload, dict):
        raise BadRequest("The body has to be a JSON object.")
    query = _optional(payload, "query", str, "a string")
    extensions = _optional(payload, "extensions", dict, "an object") or {}
    document_hash = _document_hash(payload.get("documentId"), extensions)
    if query is None and document_hash is None:
        raise BadRequest("Neither query nor documentId is given.")
    return OperationRequest(
        query=query,
        document_hash=document_hash,
        operation_name=_optional(payload, "operationName", str, "a string") or None,
        variables=_optional(payload, "variables", dict, "an object") or {},
        extensions=extensions,
    )


def read_query_string(query_string: bytes) -> dict[str, str]:
    """Decode a query string strictly. Raises: BadRequest for bytes that are not UTF-8."""
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=50,
        )
    except ValueError as error:
        raise BadRequest("The query string is malformed.") from error
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise BadRequest("A parameter of the query string is given twice.")
    return parameters


def read_parameters(parameters: Mapping[str, str]) -> OperationRequest:
    """Read the operation out of a GET's parameters. Raises: BadRequest."""
    payload: dict[str, Any] = {
        name: parameters[name] for name in ("query", "operationName", "documentId") if parameters.get(name)
    }
    for name in ("variables", "extensions"):
        if parameters.get(name):
            payload[name] = _decode_parameter(name, parameters[name])
    return read_operation(payload)


def _decode_parameter(name: str, text: str) -> Any:
    try:
        return decode_json(text)
    except BadRequest as error:
        raise BadRequest(f"The parameter {name} is not valid JSON.") from error


def _optional(payload: dict[str, Any], name: str, kind: type, wanted: str) -> Any:
    value = payload.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(f"The parameter {name} has to be {wanted}.")
    return value


def _document_hash(document_id: Any, extensions: dict[str, Any]) -> str | None:
    """Read the hash of a persisted document, in either of the two ways to name one."""
    named = _from_document_id(document_id)
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return named
    apollo = _from_persisted_query(persisted)
    if named is not None and named != apollo:
        raise BadRequest(
            "documentId and extensions.persistedQuery name different documents.",
            code="PERSISTED_QUERY_HASH_MISMATCH",
        )
    return apollo


def _from_document_id(document_id: Any) -> str | None:
    if document_id is None:
        return None
    match = DOCUMENT_ID.fullmatch(document_id) if isinstance(document_id, str) else None
    if match is None:
        raise BadRequest("A documentId has the form sha256:HEX.")
    return match[1].lower()


def _from_persisted_query(persisted: Any) -> str:
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise BadRequest(
            "extensions.persistedQuery has to be an object of version 1.",
            code="PERSISTED_QUERY_NOT_SUPPORTED",
        )
    digest = persisted.get("sha256Hash")
    if not isinstance(digest, str) or not SHA256_HEX.fullmatch(digest):
        raise BadRequest("extensions.persistedQuery.sha256Hash has to be 64 hex digits.")
    return digest.lower()
