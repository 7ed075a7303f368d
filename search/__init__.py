"""Search of events: the index protocol, Meilisearch, and PostgreSQL's full text as the fallback."""
