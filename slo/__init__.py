"""SLO files become rules, unit tests for them, plans and replays."""
