"""Probes, journeys, regions, golden paths and the status page."""
