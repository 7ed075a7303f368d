"""What the commands of `boxoffice` do, one module each; cli.py only parses."""
