"""Flag stores of the outside."""
