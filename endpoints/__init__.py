"""HTTP beside GraphQL: the Stripe webhook, health, seat-map documents, pages."""
