"""How a git history tells of changes and of deployments; nothing here touches a disk."""
