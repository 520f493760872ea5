"""SLOPolicy: settings for many SLOs at once."""
