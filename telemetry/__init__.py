"""Prometheus metrics and OpenTelemetry traces for operators; no other package imports their SDKs."""
