"""A detector at work: new steps are read, models fitted when due, each step scored, what that means written at once."""
