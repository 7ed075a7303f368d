"""Tickets after the sale. The claim's row is the ticket (docs/adr/places-not-ticket-rows.md).

`issue` makes the tickets of an order good, in the transaction that books it; everything that books calls it.
Nothing makes one void by hand: whatever ends a booked claim, or raises its generation, puts it on the event's
void list with the same commit, by the trigger `claims_void` (migration 0027). `void_list` reads it for doors.
`codes` has what a good ticket opens with: its entry code (domain/entry_codes.py), the secret in the
addresses of its documents, and the way back from such a secret to the ticket. Both follow from TICKET_KEY,
the ticket's id and its generation, so nothing secret is stored and all of it ends with the generation, which
`reissue` raises.
"""
