"""From a text to an operation: found, parsed, guarded, validated and priced once."""
