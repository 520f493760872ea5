"""What a window will have cost at its end, between which bounds, and how right earlier forecasts were."""
