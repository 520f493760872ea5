"""The ground that every feature rests on; it knows no feature."""
