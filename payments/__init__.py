"""Payments: the gateway protocol, its implementation over Stripe, and Stripe's webhooks."""
