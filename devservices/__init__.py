"""The servers that `boxoffice up` and the tests embed: supervised child processes."""
