"""What a developer runs on the source: the house rules as linters, and the steps of `make setup`."""
