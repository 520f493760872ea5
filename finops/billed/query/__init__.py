"""Questions to the billed ledger as SQL over its parquet files."""
