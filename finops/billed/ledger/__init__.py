"""What the ledger holds on disk, as values: partitions, sums, faults, restatements."""
