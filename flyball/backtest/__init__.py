"""Backtests of ladders: which policies, over which history, and how they are shown."""
