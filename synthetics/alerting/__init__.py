"""Alerts on checks from outside, regions, certificates, status pages and golden paths, as Prometheus rules."""
