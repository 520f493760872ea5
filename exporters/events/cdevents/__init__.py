"""CDEvents 0.4 and 0.5: which types there are, and whether an event is what its schema demands."""
