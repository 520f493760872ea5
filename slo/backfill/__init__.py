"""Gives SLOs a past: computes what their rules would have recorded before they ran, where nothing is recorded yet.

`survey` says what is missing, `computing` computes it, `run` does both for many SLOs and hands the series to a sink.
"""
