"""Frozen value types that the features share; pure, and importing nothing else of ours."""
