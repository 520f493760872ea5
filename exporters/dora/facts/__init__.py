"""What delivery events amount to: facts, each a function of the set of events about one thing."""
