"""The log of this installation's processes."""

from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

from domain.references import reference_of
from kit.log_lines import write_logs
from settings import Settings


def log_as(settings: Settings) -> None:
    """Send this process's log to standard error, in the format of the settings."""
    write_logs(settings.log_level, settings.log_format, enrich=name_order)


def name_order(line: MutableMapping[str, Any]) -> None:
    """Beside an order's id, write the reference that it drew first: the one its buyer knows, but for the
    few orders whose first draw was taken; a warning of theirs says so.
    """
    found = line.get("order_id")
    if found is not None:
        order_id = found if isinstance(found, UUID) else UUID(str(found))
        line["order_id"], line["order"] = str(order_id), reference_of(order_id)
