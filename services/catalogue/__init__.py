"""The catalogue: organising events, blocking seats, importing files, and the demo."""
