"""DORA metrics on /metrics: counters from the store, gauges of the last 30 and 90 days, all of it kept as text."""
