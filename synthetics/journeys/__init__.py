"""Journeys: flows of several steps, by API or in a browser."""
