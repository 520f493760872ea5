"""The detector: arrays over (series × time) in, scores out; pure and causal (docs/explanation/anomaly-detector.md)."""
