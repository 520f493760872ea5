"""Where the ground meets the outside: files, Prometheus, the clock."""
