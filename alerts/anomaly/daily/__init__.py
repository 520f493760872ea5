"""Anomalies of daily costs: short series with a trend, weekdays and the edges of months."""
