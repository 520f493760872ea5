"""Golden paths: which critical paths there are, and what watches them."""
