"""How the heartbeat reaches the outside."""
