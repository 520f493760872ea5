"""CloudEvents 1.0 as they come over HTTP and in files: attributes, modes, JSON, and what is wrong with them."""
