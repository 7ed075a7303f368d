"""What `boxoffice up` and the tests embed: real servers, started and watched as child processes."""
