"""Savings receipts: what a tier was said to save, what it did, and how sure that is."""
