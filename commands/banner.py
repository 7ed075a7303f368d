"""The addresses and tokens that `up` prints when everything runs."""

import sys

from commands.output import line
from commands.tokens import token_for
from domain.viewer import Scope
from settings import Settings

BUYER = "demo-buyer"
ORGANISER = "demo-organiser"


def announce(settings: Settings) -> None:
    """Print the addresses and, in development, a buyer's and an organiser's token."""
    rows = {"page": "/", "graphql": "/graphql", **({"graphiql": "/graphiql"} if settings.graphiql else {})}
    base = f"http://{shown_host(settings.host)}:{settings.port}"
    facts = {name: base + path for name, path in rows.items()} | demo_tokens(settings)
    if sys.stdout.isatty():
        show_panel(facts)
    else:
        for name, value in facts.items():
            line(f"{name}: {value}")
    line("Boxoffice is ready; Ctrl-C stops everything.")


def demo_tokens(settings: Settings) -> dict[str, str]:
    """Return a token for each demo user, where this installation signs its own."""
    if settings.environment == "production" or settings.jwks_url:
        return {}
    buyer = token_for(settings, BUYER, email="buyer@example.com", name="Demo Buyer")
    organiser = token_for(
        settings,
        ORGANISER,
        scopes=(Scope.ORGANISE, Scope.CHECK_IN, Scope.BUY),
        email="organiser@example.com",
        name="Demo Organiser",
    )
    return {"buyer token": buyer, "organiser token": organiser}


def show_panel(facts: dict[str, str]) -> None:
    """Print the same in colour; each token is one line, so that it can be copied."""
    from rich.console import Console

    console = Console(soft_wrap=True)
    for name, value in facts.items():
        console.print(f"[bold cyan]{name:>16}[/]  {value}", highlight=False)


def shown_host(host: str) -> str:
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
