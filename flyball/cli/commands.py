"""Every command, by name."""
