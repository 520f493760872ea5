"""OpenSLO v1: the shape of its documents, and what they mean. Other versions are read as it."""
