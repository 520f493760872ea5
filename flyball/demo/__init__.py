"""A simulated platform, a real Prometheus and Alertmanager, and Flyball on top."""
