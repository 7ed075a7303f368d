"""Who a caller is and what they may do: tokens, guests, authorisation, rate limits."""
