"""Layouts."""

from collections.abc import Sequence

from db.session import Connection, Database


async def layouts_by_version(source: Database | Connection, versions: Sequence[str]) -> dict[str, str]:
    """The documents of domain.layout_document with these versions, as JSON text."""
    records = await source.fetch(
        "SELECT version, layout::text AS layout FROM seat_maps WHERE version = ANY($1)", list(versions)
    )
    return {record["version"]: record["layout"] for record in records}
