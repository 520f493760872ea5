"""The outside as probes meet it: one module per protocol, and what they share. They import what is heavy when used."""
