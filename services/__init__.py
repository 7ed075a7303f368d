"""Use cases: one function, one transaction, committed at its edge."""
