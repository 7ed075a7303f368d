"""GraphQL over HTTP: the connection, the handler and the fast path."""
