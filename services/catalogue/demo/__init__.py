"""A programme to try everything on."""

from services.catalogue.demo.loading import load_demo

__all__ = ["load_demo"]
