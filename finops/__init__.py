"""Cost ledgers, budgets, forecasts and the downshift ladder."""
