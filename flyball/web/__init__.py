"""The web console and the HTTP endpoints."""
