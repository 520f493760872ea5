"""Checks from outside, regions, golden paths and status pages, joined."""
