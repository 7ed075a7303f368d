"""Event streams (graphql-sse), in distinct and single connection mode."""
