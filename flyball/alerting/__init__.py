"""Joins what is declared about alerts with everything else: rules, flags, the database, the outside."""
