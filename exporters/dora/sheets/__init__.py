"""A day of one service as columns of bytes: what its deployments, changes, incidents came to, what is counted."""
