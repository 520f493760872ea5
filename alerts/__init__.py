"""Alerts are received, stored and told to people."""
