"""The house rules that ruff, mypy and import-linter cannot express, as linters: python -m tools.lint."""
