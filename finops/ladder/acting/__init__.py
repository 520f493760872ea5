"""Steps of a ladder: written down before they are done, verified before they stand, undone when they cannot."""
