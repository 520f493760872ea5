"""Names of metrics, labels, alerts and events of incidents and of how people are told: a part of `conventions`."""

from typing import Final

# --- labels and annotations of alerts ---------------------------------------------------------------------------------
PRIORITY: Final = "priority"  # of alerts: P0 … P4; left out, the severity says it
DRILL: Final = "drill"

# --- alerts -----------------------------------------------------------------------------------------------------------
ALERT_WATCHDOG: Final = "Watchdog"  # fires always: that it arrives shows that alerts do
SEVERITY_NONE: Final = "none"  # of the Watchdog
ALERT_WATCHDOG_SILENT: Final = "WatchdogSilent"  # it fires, but has not arrived for a while
ALERT_DEAD_LETTERS: Final = "MessagesGivenUp"
ALERT_DELIVERY_SLOW: Final = "MessagesWaiting"
ALERT_CHANNEL_DOWN: Final = "ChannelDown"
ALERT_NOBODY_ON_CALL: Final = "NobodyOnCall"
ALERT_HEARTBEAT_FAILING: Final = "HeartbeatFailing"
ALERT_ACTION_OVERDUE: Final = "PostmortemActionOverdue"
ALERT_SPOOL: Final = "PagesInLocalSpool"
ALERT_REGION_DOWN: Final = (
    "RegionDown"  # page: every check of a region fails there, and elsewhere some work; label region
)
ALERT_DOWNSHIFT: Final = "DownshiftInProgress"  # info: a step of a ladder is under way; label ladder

# --- metrics ----------------------------------------------------------------------------------------------------------
CHANNEL: Final = "channel"
INCIDENTS: Final = "flyball_incidents"  # gauge, labels priority, state: those that are not resolved
INCIDENT_OPENED: Final = "flyball_incident_opened_timestamp_seconds"  # labels incident, priority, service; of open ones
INCIDENTS_TOTAL: Final = "flyball_incidents_opened"  # gauge, label priority: incidents kept in the store
ESCALATION_DUE: Final = "flyball_escalation_next_timestamp_seconds"  # label incident: when the next step is due
ON_CALL: Final = "flyball_on_call"  # 1, labels schedule, person; no series while nobody is
SCHEDULE_COVERED: Final = "flyball_schedule_covered"  # 1 while somebody is on call, else 0; label schedule
OUTBOX_OLDEST: Final = "flyball_outbox_oldest_timestamp_seconds"  # label channel: when its oldest pending was queued
CHANNEL_FAILING_SINCE: Final = "flyball_channel_failing_timestamp_seconds"  # label channel: first failure in a row
SPOOL_PAGES: Final = "flyball_spool_pages"  # gauge: pages that left, or wait, while the database was away
WATCHDOG_SEEN: Final = "flyball_watchdog_last_seen_timestamp_seconds"
HEARTBEATS: Final = "flyball_heartbeats_total"  # label outcome = sent | failed | withheld
HEARTBEAT_AT: Final = "flyball_heartbeat_last_sent_timestamp_seconds"
ACTIONS_OPEN: Final = "flyball_postmortem_actions"  # gauge, label state = open | overdue
TICKETS: Final = "flyball_tickets"  # gauge, labels tracker, state = open | untold (not as it should be there)
RUNBOOK_RUNS: Final = "flyball_runbook_runs"  # gauge, labels runbook, state
RECEIPT_SECONDS: Final = "flyball_page_delivery_seconds"  # histogram, labels kind, priority: queued → taken outside
DRILL_ACKNOWLEDGED: Final = "flyball_drill_acknowledged_seconds"  # gauge, label receiver: of the last drill

# --- events -----------------------------------------------------------------------------------------------------------
EVENT_INCIDENT_OPENED: Final = "incident.opened"  # subject the incident's id; data number, key, title, priority, …
EVENT_INCIDENT_ACKNOWLEDGED: Final = "incident.acknowledged"
EVENT_INCIDENT_RESOLVED: Final = "incident.resolved"
EVENT_INCIDENT_ANSWERED: Final = "incident.answered"  # from PagerDuty or Slack; id of what was delivered
EVENT_INCIDENT_ESCALATED: Final = "incident.escalated"
EVENT_ON_CALL_CHANGED: Final = "oncall.changed"  # subject the schedule; data from, to
EVENT_RUNBOOK_RAN: Final = "runbook.ran"
EVENT_ACTION_OVERDUE: Final = "action.overdue"
EVENT_DRILL_ENDED: Final = "drill.ended"
ANOMALY_PREFIX: Final = "anomaly."  # kinds of events of the anomaly detector
