"""What a deployment did to the error budgets and unit costs of its service, before and after, with an interval."""
