"""The event intake: CloudEvents with CDEvents in them, and webhooks of others translated into the same events."""
