"""What a token may allow; apart from tokens.py so that parsing imports no cryptography."""

SCOPES = ("buy", "organise", "check_in")
