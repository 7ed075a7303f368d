"""Finding events, and keeping the search index up to date."""
