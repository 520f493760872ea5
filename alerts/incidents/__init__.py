"""Alerts that belong together, from the first of them to the last word about it."""
