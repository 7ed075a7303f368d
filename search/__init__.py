"""Finding events: the index protocol, Meilisearch behind it, and PostgreSQL behind that."""
