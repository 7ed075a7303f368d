"""`boxoffice`: the commands, parsed. What each does is in commands/ and devservices/.

A refused setting, a port in use or a missing part ends with one sentence and exit status 2.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from settings import SettingsError

REFUSED = 2
Handler = Callable[[argparse.Namespace], int | None]


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}; see `{self.prog} --help`.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    arguments = parser().parse_args(argv)
    handler: Handler = arguments.handler
    try:
        return handler(arguments) or 0
    except SettingsError as refusal:
        return refuse(refusal)
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        from commands.failures import is_refusal

        if is_refusal(fault):
            return refuse(fault)
        raise


def refuse(reason: Exception) -> int:
    sys.stderr.write(f"{reason}\n")
    return REFUSED


def parser() -> Parser:
    """Every command with its arguments."""
    top = Parser(
        prog="boxoffice",
        description="The open ticketing engine. Settings are environment variables BOXOFFICE_*.",
        allow_abbrev=False,
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_up(commands)
    add_steps(commands)
    add_status(commands)
    add_doctor(commands)
    add_token(commands)
    add_person(commands)
    add_query(commands)
    add_import(commands)
    add_draw(commands)
    add_ticket(commands)
    add_simulate(commands)
    return top


def add_up(commands: "argparse._SubParsersAction[Parser]") -> None:
    up = command(commands, "up", "start everything that is not configured, and serve", run_up)
    up.add_argument("--port", type=port_number, help="where to serve (8000)")
    up.add_argument("--data-dir", metavar="D", help="the folder of all data (.boxoffice)")
    up.add_argument("--workers", type=worker_count, metavar="N", help="API processes (2)")
    up.add_argument("--no-demo", action="store_true", help="do not load the demo")


def add_steps(commands: "argparse._SubParsersAction[Parser]") -> None:
    """The single steps, as a deployment uses them."""
    steps: dict[str, tuple[str, Handler]] = {
        "serve": (
            "run one API process; in production unless BOXOFFICE_ENVIRONMENT says otherwise",
            run_serve,
        ),
        "worker": (
            "run the background work (expiry, outbox, indexing); in production as `serve` is",
            run_worker,
        ),
        "migrate": ("migrate the database to this version", run_migrate),
        "reindex": ("build the search index anew and swap it in", run_reindex),
        "search-keys": (
            "create the keys of Meilisearch from its master key, and print them",
            run_search_keys,
        ),
        "demo": ("load the demo, once", run_demo),
        "schema": ("print the GraphQL schema", run_schema),
    }
    for name, (purpose, handler) in steps.items():
        step = command(commands, name, purpose, handler)
        if name != "schema":
            step.add_argument("--data-dir", metavar="D", help="whose settings to use (.boxoffice)")
        if name == "demo":
            step.add_argument("--invented-only", action="store_true", help="without the real concerts")
        if name == "serve":
            step.add_argument("--port", type=port_number, help="where to serve (8000)")
            step.add_argument("--host", help="the address to listen on (127.0.0.1)")


def add_doctor(commands: "argparse._SubParsersAction[Parser]") -> None:
    purpose = "compare PostgreSQL, Redis, Stripe and the search index; exit status 1 if they differ"
    doctor = command(commands, "doctor", purpose, run_doctor)
    doctor.add_argument("--repair", action="store_true", help="repair what needs no person")
    doctor.add_argument("--days", type=at_least_one, default=7, metavar="N", help="of payments, back (7)")
    doctor.add_argument("--data-dir", metavar="D", help="whose settings to use (.boxoffice)")


def add_status(commands: "argparse._SubParsersAction[Parser]") -> None:
    status = command(
        commands,
        "status",
        "show the state of the installation; exit status 1 if it is not healthy",
        run_status,
    )
    status.add_argument("--watch", action="store_true", help="repeat until Ctrl-C")
    status.add_argument(
        "--json", action="store_true", dest="as_json", help="one JSON object (a line each, watching)"
    )
    status.add_argument("--every", type=at_least_one, default=1, metavar="SECONDS", help="the interval (1)")
    status.add_argument("--svg", metavar="FILE", help="draw the screen into a file, too")
    status.add_argument("--data-dir", metavar="D", help="whose settings to use (.boxoffice)")


def add_token(commands: "argparse._SubParsersAction[Parser]") -> None:
    from commands.scopes import SCOPES

    token = command(commands, "token", "print a signed token for scripts and tests", run_token)
    token.add_argument("--user", required=True, type=some_text, metavar="ID", help="whose: the claim sub")
    token.add_argument("--email", metavar="E", help="the claim email")
    token.add_argument("--scope", action="append", choices=SCOPES, help="what it may do (buy); repeatable")
    token.add_argument("--ttl", type=at_least_one, default=86_400, metavar="SECONDS", help="how long (86400)")
    token.add_argument("--data-dir", metavar="D", help="whose secret to sign with (.boxoffice)")


def add_person(commands: "argparse._SubParsersAction[Parser]") -> None:
    person = command(commands, "person", "print or erase what is stored about one person", None)
    kinds = person.add_subparsers(required=True, metavar="KIND")
    export = command(kinds, "export", "print it all as JSON", run_person_export)
    erase = command(kinds, "erase", "delete it; orders stay without a person", run_person_erase)
    for each in (export, erase):
        whose = each.add_mutually_exclusive_group(required=True)
        whose.add_argument("--email", type=some_text, metavar="E", help="an address, in any form of it")
        whose.add_argument("--user", type=some_text, metavar="ID", help="a user's id, or the claim sub")
        each.add_argument("--data-dir", metavar="D", help="whose settings to use (.boxoffice)")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    erase.add_argument("--dry-run", action="store_true", help="show the counts, erase nothing")


def add_query(commands: "argparse._SubParsersAction[Parser]") -> None:
    from commands.scopes import SCOPES

    query = command(commands, "query", "send a GraphQL document and print the answer", run_query)
    query.add_argument("file", metavar="FILE", help="the document; - reads standard input")
    query.add_argument(
        "values", nargs="*", metavar="NAME=VALUE", help="a variable; VALUE is JSON, or else text as it stands"
    )
    query.add_argument("--variables", metavar="FILE", help="a JSON object with more variables")
    query.add_argument("--operation", metavar="NAME", help="which of the document's operations")
    query.add_argument("--url", help="the endpoint (the installation on the data dir)")
    query.add_argument("--max", type=at_least_one, metavar="N", help="end a subscription after N messages")
    caller = query.add_mutually_exclusive_group()
    caller.add_argument("--token", metavar="TOKEN", help="send this token")
    caller.add_argument("--user", type=some_text, metavar="ID", help="send a token of this user, signed here")
    query.add_argument("--scope", action="append", choices=SCOPES, help="of --user's token (buy); repeatable")
    query.add_argument("--data-dir", metavar="D", help="whose address and secret to use (.boxoffice)")


def add_import(commands: "argparse._SubParsersAction[Parser]") -> None:
    things = command(commands, "import", "import events or a seating plan", None)
    kinds = things.add_subparsers(title="things", metavar="KIND", required=True)
    purpose = (
        "events as drafts, from JSON lines, iCalendar, or schema.org's JSON-LD alone or in a page; .gz too"
    )
    events = command(kinds, "events", purpose, run_events)
    purpose = "a pretix seating plan: stored once, for createEvent's seatingPlanId"
    plan = command(kinds, "plan", purpose, run_plan)
    for kind in (events, plan):
        kind.add_argument("file", metavar="FILE")
        kind.add_argument("--data-dir", metavar="D", help="whose settings to use (.boxoffice)")
    given = events.add_argument_group("what the file does not say (an event that lacks it is refused)")
    given.add_argument("--timezone", metavar="ZONE", help="an IANA name, e.g. Asia/Seoul")
    given.add_argument("--city", metavar="NAME")
    given.add_argument("--country", metavar="CODE", help="two letters, e.g. KR")
    given.add_argument("--currency", metavar="CODE", help="ISO 4217, e.g. EUR")
    given.add_argument("--price", metavar="AMOUNT", help="of a ticket, e.g. 24.50; 0 is free")
    given.add_argument("--capacity", type=at_least_one, metavar="N", help="tickets of an event")
    events.add_argument("--publish", action="store_true", help="publish the drafts that are not over")
    events.add_argument("--organiser", type=some_text, metavar="ID", help="the user whose events they become")
    events.add_argument(
        "--source", type=some_text, default="import", metavar="NAME", help="whose ids the file has (import)"
    )


def add_draw(commands: "argparse._SubParsersAction[Parser]") -> None:
    draw = command(commands, "draw", "print the draw of an event's waiting room and check it", run_draw)
    draw.add_argument("event", metavar="EVENT", help="Event.id")
    draw.add_argument("--all", action="store_true", dest="everyone", help="print every entry")
    draw.add_argument("--data-dir", metavar="D", help="whose database to read (.boxoffice)")


def add_ticket(commands: "argparse._SubParsersAction[Parser]") -> None:
    ticket = command(commands, "ticket", "check tickets", None)
    kinds = ticket.add_subparsers(required=True, metavar="KIND")
    verify = command(kinds, "verify", "check the signature of an entry code", run_ticket_verify)
    verify.add_argument("code", metavar="CODE", help="Ticket.code; - reads standard input")
    verify.add_argument("--data-dir", metavar="D", help="whose keys to check with (.boxoffice)")


def add_simulate(commands: "argparse._SubParsersAction[Parser]") -> None:
    things = command(commands, "simulate", "simulate a situation on temporary servers", None)
    kinds = things.add_subparsers(title="things", metavar="KIND", required=True)
    sale = command(
        kinds, "sale", "a sale with high demand behind a waiting room, with a plot", run_simulate_sale
    )
    sale.add_argument("--people", type=at_least_one, default=2000, metavar="N", help="in line (2000)")
    sale.add_argument("--seats", type=at_least_one, default=2500, metavar="N", help="on sale (2500)")
    sale.add_argument("--per-minute", type=at_least_one, default=1500, metavar="N", help="admissions (1500)")
    sale.add_argument("--max-active", type=at_least_one, default=100, metavar="N", help="at once (100)")
    sale.add_argument("--visit-seconds", type=at_least_one, default=4, metavar="S", help="a median visit (4)")
    sale.add_argument("--seed", type=int, default=5, metavar="N", help="of the people's choices (5)")
    sale.add_argument("--plot", metavar="FILE", help="where to draw the plot (sale.svg)", default="sale.svg")


def command(
    commands: "argparse._SubParsersAction[Parser]",
    name: str,
    purpose: str,
    handler: Handler | None,
) -> Parser:
    added = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
    if handler is not None:
        added.set_defaults(handler=handler)
    return added


def port_number(text: str) -> int:
    return bounded(text, 1, 65_535)


def at_least_one(text: str) -> int:
    return bounded(text, 1, 10_000_000)


def worker_count(text: str) -> int:
    return bounded(text, 1, 64)


def some_text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError("it must not be empty")
    return text


def bounded(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


def run_up(arguments: argparse.Namespace) -> None:
    from commands.banner import announce
    from commands.configuration import load_settings
    from commands.output import line
    from devservices.up import default_workers, up

    settings = load_settings(arguments.data_dir, port=arguments.port)
    workers = arguments.workers or default_workers()
    up(settings, workers=workers, demo=not arguments.no_demo, say=line, announce=announce)


def run_serve(arguments: argparse.Namespace) -> None:
    from commands.configuration import settings_of_running
    from commands.serve import serve

    settings = settings_of_running(
        arguments.data_dir, port=arguments.port, host=arguments.host, environment="production"
    )
    serve(settings.require_serving())


def run_worker(arguments: argparse.Namespace) -> None:
    from commands.steps import worker

    worker(arguments.data_dir)


def run_migrate(arguments: argparse.Namespace) -> None:
    from commands.steps import migrate

    migrate(arguments.data_dir)


def run_reindex(arguments: argparse.Namespace) -> None:
    from commands.steps import reindex

    reindex(arguments.data_dir)


def run_search_keys(arguments: argparse.Namespace) -> None:
    from commands.steps import search_keys

    search_keys(arguments.data_dir)


def run_demo(arguments: argparse.Namespace) -> None:
    from commands.steps import demo

    demo(arguments.data_dir, invented_only=arguments.invented_only)


def run_schema(_: argparse.Namespace) -> None:
    from commands.steps import print_schema

    print_schema()


def run_status(arguments: argparse.Namespace) -> int:
    from commands.status import status

    return status(
        arguments.data_dir,
        watch=arguments.watch,
        as_json=arguments.as_json,
        every_seconds=arguments.every,
        svg=arguments.svg,
    )


def run_doctor(arguments: argparse.Namespace) -> int:
    from commands.doctor import doctor

    return doctor(arguments.data_dir, repair=arguments.repair, days=arguments.days)


def run_token(arguments: argparse.Namespace) -> None:
    from commands.tokens import print_token

    scopes = arguments.scope or ["buy"]
    print_token(arguments.data_dir, arguments.user, arguments.email, scopes, arguments.ttl)


def run_person_export(arguments: argparse.Namespace) -> int:
    from commands.person import export

    return export(arguments.data_dir, user=arguments.user, email=arguments.email)


def run_person_erase(arguments: argparse.Namespace) -> int:
    from commands.person import erase

    whose = {"user": arguments.user, "email": arguments.email}
    return erase(arguments.data_dir, **whose, yes=arguments.yes, dry_run=arguments.dry_run)


def run_query(arguments: argparse.Namespace) -> int:
    from commands.query import query

    return query(arguments)


def run_events(arguments: argparse.Namespace) -> None:
    from commands.steps import import_events

    import_events(arguments)


def run_plan(arguments: argparse.Namespace) -> None:
    from commands.steps import import_plan

    import_plan(arguments.data_dir, arguments.file)


def run_draw(arguments: argparse.Namespace) -> int:
    from commands.draw import draw

    return draw(arguments.data_dir, arguments.event, everyone=arguments.everyone)


def run_ticket_verify(arguments: argparse.Namespace) -> int:
    from commands.tickets import verify

    return verify(arguments.data_dir, arguments.code)


def run_simulate_sale(arguments: argparse.Namespace) -> None:
    from commands.simulate import simulate_sale

    simulate_sale(arguments)


if __name__ == "__main__":
    sys.exit(main())
