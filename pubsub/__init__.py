"""One bounded, reconnecting channel between processes, on broadcaster's backend interface.

broadcaster 0.3.1 as shipped loses messages with redis-py 8, hangs its subscribers after a dropped
connection and never bounds a queue. This package keeps its backend interface and has a backend of its own.
"""
