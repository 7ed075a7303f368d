"""The measurements behind docs/capacity.md, on parts of their own: `make bench`."""
