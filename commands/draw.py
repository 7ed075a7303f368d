"""`boxoffice draw`: print a draw, and verify it with public data."""

from commands.configuration import settings_of_running
from commands.output import line
from commands.steps import run

FIRST_PRINTED = 10


def draw(data_dir: str | None, event: str, *, everyone: bool) -> int:
    """Print commitment, seed and order; the exit status is 1 where they do not agree."""
    from db.session import Database
    from domain.ids import Kind, parse_id, public_id
    from domain.waiting_room import weight_class_of
    from services.waiting_room.draw import Draw, draw_of

    event_id = parse_id(event, Kind.EVENT)
    settings = settings_of_running(data_dir).require("database_url")

    async def read() -> Draw:
        database = Database(settings.session_url, most=1)
        try:
            return await draw_of(database, event_id)
        finally:
            await database.close()

    drawn = run(read())
    line(f"commitment  {drawn.commitment}  (SHA-256 of the seed)")
    if drawn.seed is None:
        line("The draw is made when the sale starts; the seed is published then.")
        return 0
    line(f"seed        {drawn.seed}")
    line(f"entries     {len(drawn.entries)}; lot = first 52 bits of HMAC-SHA256(seed, entry's UUID)")
    line("            place = 2^52 - 1 - floor((2^52 - 1 - lot)^(2^class) / 2^(52 x (2^class - 1)))")
    shown = drawn.entries if everyone else drawn.entries[:FIRST_PRINTED]
    for number, (entry_id, place) in enumerate(shown, start=1):
        weight_class = weight_class_of(bytes.fromhex(drawn.seed), entry_id, place)
        line(f"{number:>9}  {public_id(Kind.QUEUE_ENTRY, entry_id)}  {place}  class {weight_class}")
    if len(shown) < len(drawn.entries):
        line(f"{'':>9}  ... {len(drawn.entries) - len(shown)} more; --all prints them")
    line("verified" if drawn.verified else "NOT VERIFIED: seed, commitment and order do not agree")
    return 0 if drawn.verified else 1
