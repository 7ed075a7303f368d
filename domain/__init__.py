"""Rules without I/O: money, states and transitions, layouts, errors."""
