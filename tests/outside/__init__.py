"""Servers that stand for the outside: they check what they are sent, and fail when told to."""
