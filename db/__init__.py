"""PostgreSQL: the models that define it, its migrations, the session and the queries."""
