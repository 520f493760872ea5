"""Performance clusters of named editions of DORA's report: data, and where measured performance stands among them."""
