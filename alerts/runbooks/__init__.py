"""What to do about an alert: texts, and steps that can be run."""
