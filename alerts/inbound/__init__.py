"""What people and services answer: acknowledgements from PagerDuty and Slack, verified."""
