"""Generated seasonal series with injected faults, and how well a detector finds them."""
