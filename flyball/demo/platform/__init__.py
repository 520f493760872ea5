"""A simulated IntelGraph: what its pods would have counted over the last month, and what they count now."""
