"""One stream a topic: a snapshot, then ordered changes, then the end."""
