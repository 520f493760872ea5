"""Webhooks of others as CDEvents: a module per sender."""
