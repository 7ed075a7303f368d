"""From a hold to a booking and back: reserve, pay, settle, refund, release, expire."""
