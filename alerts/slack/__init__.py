"""Incidents as Slack shows them: Block Kit within its limits, a thread of details, and marks to know our own by."""
