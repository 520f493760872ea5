"""Autoscaling caps: how many replicas of a workload the rest of a budget still pays."""
