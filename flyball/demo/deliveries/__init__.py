"""What the simulated platform's pipeline tells of: changes, deployments and incidents, as CDEvents over HTTP."""
