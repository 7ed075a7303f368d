"""The commands of `boxoffice`, one module each; cli.py only parses."""
