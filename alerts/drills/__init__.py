"""Exercises: a marked page through the real path."""
