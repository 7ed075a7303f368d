"""Rules without I/O: money, states and transitions, layouts, the error tree."""
