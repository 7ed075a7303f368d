"""Tools without ticketing knowledge: clock, ids, the Lua loader."""
