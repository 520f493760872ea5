"""What SLOs would have done in the past: real history in, pages, budgets and a fitting objective out."""
