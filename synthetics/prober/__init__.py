"""The prober: runs checks in turns, in any region."""
