"""Joins the computing of an SLO's past with the ways in which a Prometheus is given it."""
