"""Which files make up a billing period, and whether a file can be read at all."""
