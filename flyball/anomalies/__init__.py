"""What a workspace says about anomalies, and everything that is done about them."""
