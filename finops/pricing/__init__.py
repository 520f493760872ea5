"""The estimated ledger: what things cost as they are used, by metrics × prices, and how that compares to the bill."""
