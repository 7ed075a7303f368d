"""GraphQL subscriptions: each stream is a snapshot, then ordered changes, then an end."""
