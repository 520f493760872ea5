"""A day of one service as columns of bytes: what its deployments, changes and incidents came to, and what is counted."""
