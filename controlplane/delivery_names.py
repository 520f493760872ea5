"""Names of metrics, labels, alerts and events of delivery and its DORA metrics: a part of `conventions`."""

from typing import Final

# --- labels -----------------------------------------------------------------------------------------------------------
ENVIRONMENT: Final = "environment"
TEAM: Final = "team"
WINDOW: Final = "window"  # 30d | 90d
QUANTILE: Final = "quantile"
STAGE: Final = "stage"  # coding | review | deploy
BOUND: Final = "bound"  # lower | upper: of a 95 % confidence interval
REASON: Final = "reason"
SENDER: Final = "sender"
OUTCOME: Final = "outcome"
REPOSITORY: Final = "repository"

# --- DORA: from the store, labels service, team, environment ----------------------------------------------------------
DEPLOYMENTS: Final = "dora_deployments_total"  # finished deployments, rollbacks included
FAILED_DEPLOYMENTS: Final = "dora_failed_deployments_total"  # label reason
REWORK_DEPLOYMENTS: Final = "dora_rework_deployments_total"  # label reason
INCIDENTS: Final = "dora_incidents_total"  # label attributed = true | false
LEAD_TIME: Final = "dora_change_lead_time_seconds"  # histogram: first commit of a change → in the environment
STAGE_TIME: Final = "dora_change_stage_seconds"  # histogram, label stage
RECOVERY_TIME: Final = "dora_failed_deployment_recovery_seconds"  # histogram
RESTORE_TIME: Final = "dora_incident_restore_seconds"  # histogram: all incidents (MTTR)
# Gauges of the last 30 and 90 days (label window); absent where there is no data.
LEAD_TIME_QUANTILE: Final = "dora_change_lead_time_quantile_seconds"  # labels quantile
STAGE_MEDIAN: Final = "dora_change_stage_median_seconds"  # label stage
DEPLOYMENTS_PER_DAY: Final = "dora_deployment_frequency_per_day"
CHANGE_FAIL_RATIO: Final = "dora_change_fail_ratio"
REWORK_RATIO: Final = "dora_rework_ratio"
RECOVERY_QUANTILE: Final = "dora_failed_deployment_recovery_quantile_seconds"  # label quantile
RESTORE_MEAN: Final = "dora_incident_restore_mean_seconds"
SAMPLES: Final = "dora_samples"  # label metric: how many values stand behind a gauge
INTERVAL: Final = "dora_interval"  # labels metric, bound: the ends of the 95 % interval of a gauge
LAST_DEPLOYMENT: Final = "dora_last_deployment_timestamp_seconds"
DEPLOYMENT_INFO: Final = "dora_deployment_info"  # 1, labels service, environment, version: what runs now
# Effects of deployments that were measured in the last 7 days; labels service, environment, slo | unit_cost, version
EFFECT_BUDGET: Final = "dora_deployment_effect_budget_ratio"  # share of the period's error budget, more than before
EFFECT_UNIT_COST: Final = "dora_deployment_effect_unit_cost_ratio"  # unit cost after ÷ before − 1

# --- our own health ---------------------------------------------------------------------------------------------------
EVENTS: Final = "flyball_delivery_events_total"  # labels sender, type, outcome
EVENTS_BEHIND: Final = "flyball_delivery_events_behind"  # events taken in that no fact was made of yet
SERVICES_HIDDEN: Final = "flyball_dora_services_hidden"  # pairs of service and environment without metrics, for room
SHEETS_STALE: Final = "flyball_dora_stale_sheets"  # days that must be measured anew
COLLECTED: Final = "flyball_repository_last_collected_timestamp_seconds"  # label repository
COLLECTOR_FAILING: Final = "flyball_repository_failing"  # 1 while it cannot be read; label repository

# --- alerts -----------------------------------------------------------------------------------------------------------
ALERT_REPOSITORY: Final = "RepositoryNotCollected"
ALERT_EVENTS_BEHIND: Final = "DeliveryEventsBehind"

# --- events -----------------------------------------------------------------------------------------------------------
SOURCE_INCIDENTS: Final = "/flyball/incidents"  # source of what we tell of our own incidents
EVENT_ATTRIBUTED: Final = "incident.attributed"  # event log: subject the incident; data deployment, reason
CUSTOM: Final = "flyball"  # key in a CDEvent's customData under which our own fields stand
