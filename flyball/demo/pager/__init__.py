"""Stands in for PagerDuty, Slack and a mailbox in the demo: takes what they take, shows it, answers as people do."""
