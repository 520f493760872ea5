"""Seasonal anomalies: series that leave their daily and weekly shape."""
