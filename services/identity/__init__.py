"""The identity and the rights of callers: tokens, guests, authorisation, rate limits."""
