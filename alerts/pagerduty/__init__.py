"""What PagerDuty is told of an incident: its events, within the limits of Events API v2."""
