"""What was decided to be told leaves here, at least once, whatever the other side does."""
