"""The uncontended SQL, one module a noun; rows are returned as plain dataclasses."""
