"""Indicators as pairs of all and bad events: what rules record, and the same over the past."""
