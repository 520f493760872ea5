"""Checks from outside, as the roof joins them."""
