"""Taking money: the gateway protocol, Stripe behind it, and the webhooks it sends."""
