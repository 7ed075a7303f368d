"""What operators watch: Prometheus metrics and OpenTelemetry traces; their SDKs are known here alone."""
