"""Streams over HTTP: graphql-sse in distinct and single connection mode, and multipart subscriptions."""
