"""The billed ledger's disk, buckets and DuckDB."""
