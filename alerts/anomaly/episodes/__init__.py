"""When an anomaly begins and ends: hysteresis over scored steps, level shifts and gaps, for many series at once."""
