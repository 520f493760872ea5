"""What facts mean: which deployments failed, were rework, delivered which changes, and when they were mended. Pure."""
