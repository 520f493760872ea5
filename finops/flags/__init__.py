"""Feature flags of the platform that is watched, wherever they are kept."""
