"""Collectors of changes and deployments that need no webhooks: git, GitHub and GitLab."""
