"""Budgets of money: declared in YAML, compiled into rules, replayed on a past, read back from Prometheus."""
