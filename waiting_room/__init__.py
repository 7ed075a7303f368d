"""The admission room: one line an event, kept in Redis by a handful of atomic scripts.

`room.Room` is the way in; `keys` builds every key; `outcomes` names what the scripts answer.
"""
