"""WebSocket (graphql-transport-ws): frames, handshake, sockets and their operations."""
