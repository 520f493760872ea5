"""CSV files as people export them → panels of the detector, and back to the rows."""
