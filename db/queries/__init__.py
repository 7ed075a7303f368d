"""Everyday SQL, one module a noun; rows come back as plain dataclasses."""
