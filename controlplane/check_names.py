"""Names of metrics, labels, alerts and events of checks from outside and of status pages: a part of `conventions`.

blackbox_exporter's names where it has them; ours begin with `flyball_`.
"""

from typing import Final

# --- results and verdicts -------------------------------------------------------------------------------------------
PROBE: Final = "probe"
JOURNEY: Final = "journey"
STEP: Final = "step"
PHASE: Final = "phase"
REGION: Final = "region"
PROBE_SUCCESS: Final = "probe_success"  # gauge, 1 or 0; from our own endpoint with labels probe, region
PROBE_SECONDS: Final = "probe_duration_seconds"
PROBE_HTTP_SECONDS: Final = "probe_http_duration_seconds"  # label phase: resolve, connect, tls, processing, transfer
PROBE_DNS_LOOKUP_SECONDS: Final = "probe_dns_lookup_time_seconds"
PROBE_CERTIFICATE_ENDS: Final = "probe_ssl_earliest_cert_expiry"  # Unix time
JOURNEY_SUCCESS: Final = "journey_success"  # gauge, labels journey, region
JOURNEY_SECONDS: Final = "journey_duration_seconds"  # gauge, the same labels
JOURNEY_STEP_SECONDS: Final = "journey_step_duration_seconds"  # gauge, labels journey, step, region
CHECK_RUNS: Final = "flyball_check_runs_total"  # labels kind, check, region, outcome = ok | failed | fault
CHECK_RUN_SECONDS: Final = "flyball_check_run_duration_seconds"  # histogram, labels kind, check, region; exemplars
CHECK_LAST_RUN: Final = "flyball_check_last_run_timestamp_seconds"  # labels kind, check, region
CHECK_INTERVAL: Final = "flyball_check_interval_seconds"  # labels kind, check
CHECK_REGION_STATE: Final = "flyball_check_region_state"  # 1: it stands; labels kind, check, region, state
CHECK_VERDICT: Final = "flyball_check_verdict"  # 1 for the verdict that stands, else 0; labels kind, check, verdict
CHECK_FLAPPING: Final = "flyball_check_flapping"  # labels kind, check
REGION_REPORTED: Final = "flyball_region_last_report_timestamp_seconds"  # label region
REGION_BUFFERED: Final = "flyball_region_buffered_results"  # label region: results that wait at the prober
REGION_SELF_CHECK: Final = "flyball_region_self_check_success"  # label region: whether it reaches its known-good target
PROBER_REPORTS: Final = "flyball_prober_reports_total"  # labels region, outcome: taken, repeated, forged, replayed,
# wrong_region, malformed, oversized, busy, unavailable
GOLDEN_PATH: Final = "golden_path"
GOLDEN_PATH_GAPS: Final = "flyball_golden_path_gaps"  # gauge, labels golden_path, gap
UNCOVERED_ROUTES: Final = "flyball_golden_path_uncovered_routes"  # gauge: seen in traffic, on no path
STATUS_PAGE: Final = "status_page"
COMPONENT: Final = "component"
STATUS_COMPONENT: Final = "flyball_status_component"  # 1: it stands; labels status_page, component, status
STATUS_UPTIME: Final = "flyball_status_component_uptime_ratio"  # labels status_page, component: of 90 days
STATUS_INCIDENTS: Final = "flyball_status_incidents"  # label status_page: open ones
STATUS_UPDATE_OVERDUE: Final = "flyball_status_update_overdue_seconds"  # labels status_page, incident; 0 while in time
STATUS_DRAFTS: Final = "flyball_status_drafts"  # label status_page: updates that wait for approval
STATUS_PUBLISHED: Final = "flyball_status_published_timestamp_seconds"  # label status_page
STATUS_SUBSCRIBERS: Final = "flyball_status_subscribers"  # labels status_page, channel, state
ALERT_CHECK_DOWN: Final = "CheckDown"  # page: global
ALERT_CHECK_REGIONAL: Final = "CheckDownInRegion"
ALERT_CHECK_FLAPPING: Final = "CheckFlapping"
ALERT_CHECK_STALE: Final = "CheckNotRun"
ALERT_REGION_SILENT: Final = "ProberSilent"
ALERT_PROBER_FAULT: Final = "ProberFault"
ALERT_CERTIFICATE: Final = "CertificateExpires"
ALERT_STATUS_OVERDUE: Final = "StatusUpdateOverdue"
ALERT_STATUS_STALE: Final = "StatusPageStale"
ALERT_GOLDEN_PATH: Final = "GoldenPathDisagreement"

# --- events ---------------------------------------------------------------------------------------------------------
EVENT_VERDICT_CHANGED: Final = "check.verdict_changed"  # subject KIND/NAME; data from, to, regions, flapping
EVENT_REGION_SILENT: Final = "region.silent"  # subject the region
EVENT_REGION_HEARD: Final = "region.heard"
EVENT_PATH_DISAGREES: Final = "golden_path.disagreement"  # data kind: coverage_hole, dns_or_region
EVENT_PATH_AGREES: Final = "golden_path.agreement"
EVENT_COMPONENT_CHANGED: Final = "status.component_changed"  # subject PAGE/COMPONENT
EVENT_STATUS_UPDATE: Final = "status.update_published"  # subject PAGE/INCIDENT
EVENT_STATUS_OVERDUE: Final = "status.update_overdue"

# --- the engine of a prober: how well it keeps its turns --------------------------------------------------------------
PROBER_START_DELAY: Final = "flyball_prober_start_delay_seconds"  # histogram, label region: actual less planned start
PROBER_RUNS: Final = "flyball_prober_runs_total"  # labels region, kind, outcome = ok | failed | fault
PROBER_MISSED: Final = "flyball_prober_missed_turns_total"  # labels region, reason = overrun | late
PROBER_RUNNING: Final = "flyball_prober_running"  # gauge, label region: runs that are under way
PROBER_CHECKS: Final = "flyball_prober_checks"  # gauge, label region: checks that have a turn

# --- golden paths -----------------------------------------------------------------------------------------------------
PATH_DISAGREES: Final = "flyball_golden_path_disagreement"  # 1: it stands; labels golden_path, kind
PATHS_CHECKED: Final = "flyball_golden_paths_checked_timestamp_seconds"  # when their coverage was looked at last
CHECK_INFO: Final = "check:info"  # recorded, 1 for each declared check; labels kind, check, service, runbook_url, …
CHECK_FAILURE: Final = "flyball_check_failure"  # 1 while down: labels kind, check, region, reason of its latest failure
VERDICT_SINCE: Final = "flyball_check_verdict_since_timestamp_seconds"  # when what stands began; labels kind, check
CHECK_LATE_AFTER: Final = "check:late_after:seconds"  # recorded: how long a check may not run before somebody is told
PATH_INFO: Final = "golden_path:info"  # recorded, 1 for each declared path; labels golden_path, owner, runbook_url

# --- /probe -----------------------------------------------------------------------------------------------------------
PROBE_REQUESTS: Final = "flyball_probe_requests_total"  # label code: the status of the answer
PROBER_WAITING: Final = "flyball_prober_waiting_results"  # label region: not reported yet
PROBER_DROPPED: Final = "flyball_prober_dropped_results_total"  # label region: lost to the bounds of the buffer
PROBER_ASIDE: Final = "flyball_prober_refused_results_total"  # label region: in reports that were refused
