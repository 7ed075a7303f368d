"""Column lists that follow from row classes, so that each column is named once."""

from dataclasses import fields


def column_names(row_type: type) -> list[str]:
    """The names of a row class's fields, which are column names."""
    return [each.name for each in fields(row_type)]


def columns_of(row_type: type, table: str | None = None) -> str:
    """The columns to select for a row class, in the order of its fields; `table` qualifies them."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + name for name in column_names(row_type))
