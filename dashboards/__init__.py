"""The model becomes grafanalib dashboards, and those become JSON."""
