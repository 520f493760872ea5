"""What signals say: PromQL for each measure, and what its answer is worth."""
