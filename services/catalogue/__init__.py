"""What is on offer: events, seat maps, imported files, the demo."""
