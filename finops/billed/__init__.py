"""The billed ledger: what the providers' files say, to the last digit, late and exact."""
