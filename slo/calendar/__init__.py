"""Calendar windows: when their periods begin, and how Prometheus knows."""
