"""What every room speaks: requests, payloads, errors, limits and the ports to the world outside."""
