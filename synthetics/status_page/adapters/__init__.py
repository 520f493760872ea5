"""How subscribers are told."""
