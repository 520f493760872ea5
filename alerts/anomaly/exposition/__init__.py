"""Anomalies on /metrics: written once a cycle, handed on at each scrape."""
