"""Who is told of which alert: receivers, the tree of routes, and Alertmanager's file."""
