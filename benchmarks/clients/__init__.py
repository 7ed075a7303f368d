"""The clients of frontend teams and partners, tried against a running installation."""
