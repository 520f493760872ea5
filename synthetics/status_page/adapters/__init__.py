"""The outside of the status page: where it is published."""
