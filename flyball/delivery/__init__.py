"""The roof's joins of the event intake and the DORA metrics."""
