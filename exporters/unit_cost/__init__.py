"""Unit costs: what so many units of work cost, live as rules and in the past from a ledger."""
