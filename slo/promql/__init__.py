"""Users' PromQL: what a query counts, checked at its place and spliced over any window."""
