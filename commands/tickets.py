"""`boxoffice ticket`: check entry codes."""

import sys
from dataclasses import replace

from commands.configuration import settings_of_running
from commands.output import line
from settings import Settings


def verify(data_dir: str | None, code: str) -> int:
    """Print what an entry code says; the exit status is 1 where none of this installation's keys signed it.

    Raises:
        SettingsError: no key is configured.
    """
    from domain.entry_codes import InvalidEntryCode
    from domain.ids import Kind, public_id
    from domain.ticket_keys import TicketKeys

    settings = with_own_key(settings_of_running(data_dir)).require("ticket_key")
    keys = TicketKeys.parse(settings.ticket_key, settings.ticket_key_previous)
    try:
        read = keys.read(sys.stdin.read() if code == "-" else code)
    except InvalidEntryCode:
        line("NOT VALID: no entry code that this installation has signed")
        return 1
    line(f"event       {public_id(Kind.EVENT, read.event_id)}")
    line(f"ticket      {public_id(Kind.TICKET, read.ticket_id)}")
    line(f"generation  {read.generation}")
    line("signature   valid; whether the ticket is void since, the void list says")
    return 0


def with_own_key(settings: Settings) -> Settings:
    """Return the settings, in development with the key of the data dir, as `up` uses it."""
    if settings.environment == "production" or settings.ticket_key:
        return settings
    from devservices.credentials import credentials_of

    return replace(settings, ticket_key=credentials_of(settings.data_dir).ticket_key)
