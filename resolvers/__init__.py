"""Per field: authorise, pick a loader or a service, return plain rows and views."""
