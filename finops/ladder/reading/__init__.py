"""Ladder documents as ladders: each part is read as far as it can be, so that all mistakes are told at once."""
