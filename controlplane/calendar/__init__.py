"""Calendar windows: when their periods begin, how Prometheus knows, and what a ledger holds of a period."""
