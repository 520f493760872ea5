"""Trackers as they are."""
