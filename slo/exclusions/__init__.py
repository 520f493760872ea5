"""SLOExclusion: time that does not count."""
