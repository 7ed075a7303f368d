"""PostgreSQL: models, migrations, connections and queries."""
