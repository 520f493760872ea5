"""Whether alerts would still reach us, and whether we are still heard outside."""
