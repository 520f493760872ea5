"""DORA, unit-cost and usage figures for /metrics and files."""
