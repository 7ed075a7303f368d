"""The scopes of tokens; apart from tokens.py so that parsing imports no cryptography."""

from domain.viewer import Scope

SCOPES = tuple(scope.value for scope in Scope)
