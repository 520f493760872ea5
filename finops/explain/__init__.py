"""Why spend changed between two periods: effects that add up exactly, what was changed meanwhile, and traces of it."""
