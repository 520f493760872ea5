"""How steps of runbooks reach the outside."""
