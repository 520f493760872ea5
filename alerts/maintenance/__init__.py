"""Times in which some alerts are expected, and told to nobody."""
