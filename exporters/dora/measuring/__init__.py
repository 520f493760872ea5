"""From judgements to numbers: sheets of days, counters, and the metrics of any stretch of time."""
