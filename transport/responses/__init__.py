"""From an operation to an HTTP response: cached, negotiated, compressed."""
