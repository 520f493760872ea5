"""Regions: reports of probers, and what all regions together say."""
