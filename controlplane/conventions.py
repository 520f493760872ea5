"""Every metric, label, rule and annotation name that we emit, once.

Recording rules are `level:metric:operation`. Names of our own health begin with `flyball_`.
"""

from typing import Final

# --- labels -----------------------------------------------------------------------------------------------------------
SLO: Final = "slo"
SERVICE: Final = "service"
EVENT: Final = "event"
EVENT_ALL: Final = "all"
EVENT_BAD: Final = "bad"
SEVERITY: Final = "severity"
SEVERITY_PAGE: Final = "page"
SEVERITY_TICKET: Final = "ticket"
SEVERITY_INFO: Final = "info"  # tells what is so, and notifies nobody
SHARD: Final = "shard"
CALENDAR: Final = "calendar"
EXCLUSION: Final = "exclusion"
PERIOD: Final = "period"  # of calendar windows: the Unix time at which a period begins
NOTIFY: Final = "notify"  # of alerts: names of OpenSLO's notification targets, separated by commas
PART: Final = "part"

# --- SLO series (RULES.md) --------------------------------------------------------------------------------------------
ROLLING_EVENTS: Final = "slo:sli_events:rolling5m"  # events of the last 5 minutes, written every minute
MEASURED_EVENTS: Final = "slo:sli_events:measured5m"  # the rolling pair before time without traffic was filled in
LEDGER_EVENTS: Final = "slo:sli_events:ledger5m"  # events of 5 minutes, written every 5 minutes; entries add up
SLICE_BAD: Final = "slo:sli_slice:bad"  # how bad the slice of time that ends now was: 0 … 1, written every minute
PART_EVENTS: Final = "slo:sli_part_events:rolling5m"  # as ROLLING_EVENTS, of one part of a composite: label part
PART_LEDGER: Final = "slo:sli_part_events:ledger5m"  # as LEDGER_EVENTS, of one part of a composite
PART_USUAL: Final = "slo:sli_part_events:usual5m"  # events that 5 minutes of the window had on average, of one part
WINDOW_COVERAGE: Final = "slo:window_coverage:ratio"  # share of the window for which there is a ledger entry
BUDGET_EVENTS: Final = "slo:error_budget:events"  # bad events that the window allows
BUDGET_REMAINING: Final = "slo:error_budget_remaining:ratio"  # 1 = untouched, 0 = spent, negative = overspent
CALENDAR_WALL: Final = "slo:calendar:wall_seconds"  # what the clock showed when the period began; label calendar
CALENDAR_START: Final = "slo:calendar:start_seconds"  # Unix time at which the current period began; label calendar
CALENDAR_END: Final = "slo:calendar:end_seconds"  # when it ends
CALENDAR_NEXT_END: Final = "slo:calendar:next_end_seconds"  # when the one after it ends
WINDOW_START: Final = "slo:window_start:seconds"  # Unix time at which a calendar window's period began
WINDOW_END: Final = "slo:window_end:seconds"  # when its budget is full again
PERIOD_EVENTS: Final = "slo:sli_events:period5m"  # as LEDGER_EVENTS, with a label period, for calendar windows
EXCLUDED: Final = "slo:excluded"  # 1 while an exclusion (label exclusion) takes events out of the rolling pair, else 0
RAW_ROLLING: Final = "slo:raw_sli_events:rolling5m"  # the rolling pair with what is excluded; where anything is
EXCLUDED_ROLLING: Final = "slo:excluded_sli_events:rolling5m"  # what is taken out of it; absent while nothing is
EXCLUDED_LEDGER: Final = "slo:excluded_sli_events:ledger5m"  # what was taken out of the ledger
EXCLUDED_PERIOD: Final = "slo:excluded_sli_events:period5m"  # the same, with a label period, for calendar windows
RAW_BUDGET_REMAINING: Final = "slo:raw_error_budget_remaining:ratio"  # as BUDGET_REMAINING, if nothing were excluded
OBJECTIVE: Final = "slo:objective:ratio"
BUDGET_RATIO: Final = "slo:error_budget:ratio"  # 1 - objective
PERIOD_SECONDS: Final = "slo:time_period:seconds"
SLO_INFO: Final = "slo:info"  # 1, with labels slo, service, owner, objective, window
ALERT_CONTEXT: Final = (
    "slo:alert_context"  # 1, of a shard's SLOs: labels runbook_url, dashboard_url, worst for alert templates
)

RULES_GENERATION: Final = "flyball_rules_generation_info"  # 1, label generation: hash of the rule files that run


def total_events(window: str) -> str:
    """Events of the whole window, such as `slo:sli_events:total30d`."""
    return f"slo:sli_events:total{window}"


def raw_total_events(window: str) -> str:
    """Events of the whole window, excluded ones too, such as `slo:raw_sli_events:total30d`."""
    return f"slo:raw_sli_events:total{window}"


def unadjusted_events(window: str) -> str:
    """What the ledger adds up to over the whole window, before exclusions that were declared later are subtracted."""
    return f"slo:sli_events:unadjusted{window}"


def expected_events(window: str) -> str:
    """Events that the whole period of a calendar window will have had, such as `slo:sli_events:expected1M`."""
    return f"slo:sli_events:expected{window}"


def burn_rate(window: str) -> str:
    """Error ratio of a window divided by the budget ratio, such as `slo:burn_rate:1h`."""
    return f"slo:burn_rate:{window}"


def bad_events(window: str) -> str:
    """Bad events of a window, such as `slo:bad_events:6h`."""
    return f"slo:bad_events:{window}"


def summed_events(window: str) -> str:
    """All and bad events of a window that ends now, such as `slo:sli_events:sum1h` (burn-rate method)."""
    return f"slo:sli_events:sum{window}"


def ledger_sum(window: str) -> str:
    """The ledger's events of a long window, such as `slo:sli_events:ledger_sum3d` (burn-rate method)."""
    return f"slo:sli_events:ledger_sum{window}"


def window_coverage(window: str) -> str:
    """The measured share of a window of an alert, such as `slo:window_coverage:6h`."""
    return f"slo:window_coverage:{window}"


# --- alerts -----------------------------------------------------------------------------------------------------------
ALERT_BURN: Final = "SLOErrorBudgetBurn"
ALERT_NO_DATA: Final = "SLONoData"
ALERT_CALENDAR_ENDS: Final = "SLOCalendarEnds"
SUMMARY: Final = "summary"
DESCRIPTION: Final = "description"
WORST: Final = "worst"
EXPLAIN: Final = "explain"  # the command that tells more
TIER: Final = "tier"  # label: which tiers an alert is about, where those of one urgency are told apart
ABSENT: Final = "absent"  # label of SLONoData: `group` when one value of the grouping labels is gone and others are not
RUNBOOK_URL: Final = "runbook_url"
DASHBOARD_URL: Final = "dashboard_url"
NOTIFICATION_TARGETS: Final = "notification_targets"  # the same, and by what way each is told

# --- money ------------------------------------------------------------------------------------------------------------
CURRENCY: Final = "currency"
PRICE: Final = "price"  # label: the item of a PriceMap by which a spend was valued
RESOURCE: Final = "resource"  # label: what was paid for: node, pod, request, byte, token, …
TENANT: Final = "tenant"
BUDGET: Final = "budget"
UNIT_COST: Final = "unit_cost"
ESTIMATE_ROLLING: Final = "cost:estimate:rolling5m"  # money of the last 5 minutes by usage × price, every minute
ESTIMATE_LEDGER: Final = "cost:estimate:ledger5m"  # mean of five rolling values, every 5 minutes; entries add up
SPEND_ROLLING: Final = "cost:spend:rolling5m"  # the estimate, corrected by what was billed; what budgets are made of
SPEND_LEDGER: Final = "cost:spend:ledger5m"  # the same as a ledger
UNPRICED_USAGE: Final = "cost:unpriced_usage:rolling5m"  # units of the last 5 minutes that no price is known for
CORRECTION_RATIO: Final = "flyball_cost_correction_ratio"  # gauge, labels service, currency: billed ÷ estimated
CORRECTION_AT: Final = "flyball_cost_correction_timestamp_seconds"  # end of the last day that the ratio is made from
CORRECTION_USED: Final = "cost:correction:ratio"  # the ratio while it is fresh and believable; else absent
RECONCILED: Final = "flyball_cost_reconciliation_services"  # gauge, labels currency, outcome: how they compare
ESTIMATE_HOURLY: Final = "cost:estimate:hourly"  # money an hour at this moment, of items that are paid by time
NODE_WORKLOAD: Final = "cost:node_workload:hourly"  # money an hour of what runs on a node, by OpenCost's allocation
PRICE_UNIT: Final = "cost:price:unit"  # money for one unit, where each model has a price; labels model, token_type
PRICE_MAP_INFO: Final = "cost:price_map:info"  # 1 every minute that a PriceMap's rules run; label price_map
USAGE_AT: Final = "cost:usage:timestamp_seconds"  # when the newest sample behind a price item was taken
PRICE_MAP: Final = "price_map"
MODEL: Final = "model"
TOKEN_TYPE: Final = "token_type"  # noqa: S105 -- of language models
IDLE_SERVICE: Final = "__idle__"  # value of service: what nodes cost beyond what runs on them
BUDGET_ROLLING: Final = "budget:spend:rolling5m"  # as SPEND_ROLLING, of one budget; labels budget, currency
BUDGET_LEDGER: Final = "budget:spend:ledger5m"  # as SPEND_LEDGER, of one budget
BUDGET_AMOUNT: Final = "budget:amount"  # what may be spent in a window; labels budget, currency
BUDGET_SPENT: Final = "budget:spent"  # what was spent in the window so far
BUDGET_SPENT_RATIO: Final = "budget:spent:ratio"  # the same as a share of the amount
BUDGET_PACE_RATIO: Final = "budget:pace:ratio"  # the share that should have been spent by now
BUDGET_EXPECTED: Final = "budget:expected:rolling5m"  # what the pace expects of the last 5 minutes
BUDGET_COVERAGE: Final = "budget:window_coverage:ratio"  # share of the window so far for which there is a ledger entry
BUDGET_INFO: Final = "budget:info"  # 1, with labels budget, currency, owner, window
BUDGET_EXPECTED_LEDGER: Final = "budget:expected:ledger5m"  # the same as a ledger; only of time in which spend is known
BUDGET_PERIOD_LEDGER: Final = "budget:spend:period5m"  # as BUDGET_LEDGER, with a label period, for calendar windows
BUDGET_START: Final = "budget:window_start:seconds"  # Unix time at which the window began
BUDGET_END: Final = "budget:window_end:seconds"  # when it ends; of a rolling window: now
BUDGET_OTHER_CURRENCY: Final = "budget:other_currency:rolling5m"  # spend in the scope that the budget does not count
BUDGET_USUAL_HOUR: Final = "budget:usual:1h"  # spend of this hour on earlier days and weeks; label of = days | weeks
BUDGET_FORECAST_RATIO: Final = "budget:forecast:ratio"  # forecast ÷ amount; label basis = forecast | pace
BASIS: Final = "basis"
THRESHOLD: Final = "threshold"  # label of alerts: the share of the amount that was reached, such as `80 %`
PACE: Final = "pace"  # label: a window and how spending is expected to spread over it
MOMENT: Final = "moment"  # label: now | before (5 minutes ago) | start | end
PACING_AT: Final = "budget:pacing:seconds"  # the Unix time of each moment of a pace
PACING_WALL: Final = "budget:pacing:wall_seconds"  # what the clock on the wall shows then
PACING_WEIGHT: Final = "budget:pacing:weight"  # seconds × weight of their days, from a fixed moment up to then
PACING_MONTH_END: Final = "budget:pacing:month_end_seconds"  # of each moment: ends of its month and of months before
AGO: Final = "ago"  # label: how many months (of usual hours: days or weeks) before
PACING_EDGE: Final = "budget:pacing:edge_seconds"  # where the last days of those months begin and end; label edge
EDGE: Final = "edge"
PACING_EDGE_WEIGHT: Final = "budget:pacing:edge_weight"  # as PACING_WEIGHT, up to those edges
PACING_SHARE: Final = "budget:pacing:share5m"  # the share of its window that a pace expects of the last 5 minutes
PACING_RATIO: Final = "budget:pacing:ratio"  # the share of the window that it expects up to now
BUDGET_FORECAST: Final = "flyball_budget_forecast"  # gauge at the window's end; labels budget, currency, bound
FORECAST_BOUND: Final = "bound"  # label: low | middle | high (80 % interval)
BUDGET_FORECAST_ERROR: Final = "flyball_budget_forecast_error_ratio"  # mean absolute error of past forecasts ÷ actual
BUDGET_FORECAST_COVERAGE: Final = "flyball_budget_forecast_coverage_ratio"  # share of past actuals in the interval
BUDGET_FORECAST_AT: Final = "flyball_budget_forecast_timestamp_seconds"  # when it was made
BUDGET_FORECAST_MISSING: Final = "flyball_budget_forecast_missing"  # 1 while there is none; labels budget, reason
BILLED_UNTIL: Final = "flyball_billed_until_timestamp_seconds"  # label source: end of the latest charge period
BILLED_FAULTS: Final = "flyball_billed_faults"  # gauge, labels source, fault: rows of the latest import
BILLED_ROWS: Final = "flyball_billed_rows"  # gauge, label source
UNIT_COST_RATIO: Final = "unit_cost:ratio"  # money for `per` units; labels unit_cost, currency and what it is split by
UNIT_COST_TARGET: Final = "unit_cost:target"  # what that may cost at most
UNIT_COST_COUNTED: Final = "unit_cost:counted:rolling5m"  # units of the last 5 minutes, whether or not money is known
UNIT_COST_ATTRIBUTED: Final = "unit_cost:attributed:rolling5m"  # money of the last 5 minutes by who has it, or a part
UNIT_COST_SPEND_ROLLING: Final = "unit_cost:spend:rolling5m"  # as SPEND_ROLLING, of minutes with known units only
UNIT_COST_UNITS_ROLLING: Final = "unit_cost:units:rolling5m"  # units of the very same minutes
UNIT_COST_UNPAIRED_ROLLING: Final = "unit_cost:unpaired_spend:rolling5m"  # money of minutes without known units
UNIT_COST_SPEND_LEDGER: Final = "unit_cost:spend:ledger5m"  # as UNIT_COST_SPEND_ROLLING; entries add up
UNIT_COST_UNITS_LEDGER: Final = "unit_cost:units:ledger5m"
UNIT_COST_UNPAIRED_LEDGER: Final = "unit_cost:unpaired_spend:ledger5m"
UNIT_COST_EXCESS: Final = "unit_cost:excess"  # money of the long window beyond what the target allows its units
UNIT_COST_INFO: Final = "unit_cost:info"  # 1, with labels unit_cost, currency, unit, per, owner
USAGE_TOTAL: Final = "flyball_usage_quantity_total"  # labels tenant, meter: accepted usage
USAGE_EVENTS: Final = "flyball_usage_events_total"  # label outcome = accepted | duplicate | conflict | unknown_type |
# unknown_tenant | refused
METER: Final = "meter"
QUOTA: Final = "quota"
QUOTA_USED: Final = "flyball_usage_quota_used_ratio"  # labels tenant, quota
LADDER: Final = "ladder"
FLAG: Final = "flag"
FLAG_STORE: Final = "flag_store"
MODE: Final = "mode"
LADDER_TIER: Final = "flyball_ladder_tier"  # gauge, label ladder: the tier in force, 0 at full service
LADDER_SHADOW_TIER: Final = (
    "flyball_ladder_shadow_tier"  # where it would be, had it acted; label ladder, in shadow mode
)
LADDER_INFO: Final = "flyball_ladder_info"  # 1, labels ladder, mode, flag_store, owner
LADDER_SIGNAL: Final = (
    "flyball_ladder_signal"  # gauge, labels ladder, signal: the value of the last sample; absent: none
)
LADDER_SIGNAL_GOOD: Final = "flyball_ladder_signal_good"  # 1 while its last reading may be used; labels ladder, signal
LADDER_SAMPLED_AT: Final = "flyball_ladder_sample_timestamp_seconds"  # when it was judged last; label ladder
LADDER_HELD: Final = "flyball_ladder_held"  # 1 while it may not move, labels ladder, reason (as in `because`)
LADDER_ASKS: Final = "flyball_ladder_waits_for_approval"  # gauge, labels ladder, tier: 1 while an approval is asked for
LADDER_THEIRS: Final = "flyball_ladder_yielded_flags"  # gauge, label ladder: flags that people changed, undecided
LADDER_OPEN_STEP: Final = "flyball_ladder_step_started_timestamp_seconds"  # of the open step; labels ladder, phase
LADDER_STEPS: Final = (
    "flyball_ladder_steps"  # gauge, labels ladder, outcome: steps kept in the store, by how they ended
)
LADDER_FAILED_AT: Final = (
    "flyball_ladder_step_failed_timestamp_seconds"  # of the last step that was undone; label ladder
)
LADDER_STORE_DOWN_SINCE: Final = "flyball_ladder_flag_store_down_timestamp_seconds"  # while it does not answer
LADDER_EXPIRES_AT: Final = "flyball_ladder_tier_expires_timestamp_seconds"  # labels ladder, tier
LADDER_SAVING: Final = (
    "flyball_ladder_saving_per_hour"  # labels ladder, tier, currency, of = predicted | realised | low | high
)
LADDER_SAVED: Final = "flyball_ladder_saved"  # money saved so far by the tier in force; labels ladder, tier, currency
LADDER_SAVES_NOTHING: Final = (
    "flyball_ladder_tier_saves_nothing"  # 1 of a tier that does not pay, else 0; as LADDER_SAVED
)
LADDER_KILLED: Final = "flyball_ladder_kill_switch"  # 1 while the kill switch is set
SIGNAL: Final = "signal"
REASON: Final = "reason"
OUTCOME: Final = "outcome"
PHASE: Final = "phase"
OF: Final = "of"
ALERT_REDUCED: Final = "ServiceReducedOnPurpose"  # info: a tier is in force; labels ladder, tier
ALERT_LADDER_NO_DATA: Final = "LadderWithoutData"
ALERT_LADDER_ASKS: Final = "LadderAsksForApproval"
ALERT_LADDER_YIELDED: Final = "LadderYieldedToPerson"
ALERT_LADDER_STEP_FAILED: Final = "LadderStepFailed"
ALERT_LADDER_STUCK: Final = "LadderStepStuck"
ALERT_LADDER_STRANDED: Final = "LadderTierStranded"  # a tier is in force that only people can leave
ALERT_FLAG_STORE_DOWN: Final = "FlagStoreDown"
TOLD_BY_LADDERS: Final = frozenset(
    {ALERT_LADDER_STEP_FAILED, ALERT_LADDER_YIELDED, ALERT_FLAG_STORE_DOWN, ALERT_LADDER_STUCK, ALERT_LADDER_STRANDED}
)  # pages of a ladder itself: it needs no Prometheus to send them
ALERT_TIER_EXPIRES: Final = "LadderTierExpires"
ALERT_TIER_SAVES_NOTHING: Final = "LadderTierSavesNothing"
ALERT_LADDER_SILENT: Final = "LadderNotJudged"
ALERT_BUDGET_BURN: Final = "BudgetBurn"
ALERT_BUDGET_SPENT: Final = "BudgetSpent"
ALERT_BUDGET_FORECAST: Final = "BudgetForecast"
ALERT_SPEND_SPIKE: Final = "SpendSpike"
ALERT_OTHER_CURRENCY: Final = "SpendInOtherCurrency"
ALERT_FORECAST_STALE: Final = "BudgetForecastStale"
ALERT_COST_STALE: Final = "CostDataStale"
ALERT_UNPRICED: Final = "CostUnpriced"
ALERT_UNIT_COST: Final = "UnitCostAboveTarget"
ALERT_NO_UNITS: Final = "SpendWithoutUnits"


def budget_burn_rate(window: str) -> str:
    """Spend of a window ÷ what the pace expects of it, such as `budget:burn_rate:1h`; 1 spends exactly the budget."""
    return f"budget:burn_rate:{window}"


def budget_spend(window: str) -> str:
    """Money spent in a window that ends now, such as `budget:spend:sum1h`."""
    return f"budget:spend:sum{window}"


def budget_expected(window: str) -> str:
    """Money that the pace expects of a window that ends now, such as `budget:expected:sum1h`."""
    return f"budget:expected:sum{window}"


def budget_spend_ledger(window: str) -> str:
    """The ledger's money of a long window, such as `budget:spend:ledger_sum3d`."""
    return f"budget:spend:ledger_sum{window}"


def budget_expected_ledger(window: str) -> str:
    """What the ledger of expected money holds of a long window, such as `budget:expected:ledger_sum3d`."""
    return f"budget:expected:ledger_sum{window}"


def unit_cost_ratio(window: str) -> str:
    """As UNIT_COST_RATIO, which is that of the alert's long window, over another one: `unit_cost:ratio:1h`."""
    return f"unit_cost:ratio:{window}"


def unit_cost_coverage(window: str) -> str:
    """The share of a window for which a unit cost has ledger entries, such as `unit_cost:window_coverage:30d`."""
    return f"unit_cost:window_coverage:{window}"


# --- keys that users write --------------------------------------------------------------------------------------------
API_VERSION: Final = "flyball.dev/v1"
ANNOTATION_OWNER: Final = "flyball.dev/owner"
ANNOTATION_RUNBOOK: Final = "flyball.dev/runbook-url"
ANNOTATION_RENAMED_FROM: Final = "flyball.dev/renamed-from"  # earlier names, whose history still counts
ANNOTATION_LEGACY_LABELS: Final = "flyball.dev/legacy-labels"  # labels that the other tool gives its series, as JSON
ANNOTATION_GROUP_BY: Final = "flyball.dev/group-by"  # labels: a budget for every combination of their values
ANNOTATION_NO_TRAFFIC: Final = "flyball.dev/no-traffic"  # good, excluded or bad
ANNOTATION_ABSENT: Final = "flyball.dev/absent"  # ignore, ticket or page
ANNOTATION_ABSENT_AFTER: Final = "flyball.dev/absent-after"
ANNOTATION_UP: Final = "flyball.dev/up"  # PromQL, 1 while the service is there; or auto
ANNOTATION_ALERTS: Final = "flyball.dev/alerts"  # budget or burn-rate
ANNOTATION_DROP_TIERS: Final = "flyball.dev/drop-tiers"  # page, ticket, or single tiers such as page-6h
ANNOTATION_POLICY: Final = "flyball.dev/policy"  # names of SLOPolicy documents
ANNOTATION_KEEP_NAMES: Final = "flyball.dev/keep-names"  # sloth or pyrra: record their series, too
ANNOTATION_LINT_IGNORE: Final = "flyball.dev/lint-ignore"  # comma-separated names of lint rules
ANNOTATION_WORST_BY: Final = "flyball.dev/worst-by"  # comma-separated labels that tell where the bad events come from
# On manifests of autoscalers.
ANNOTATION_CAP_BUDGET: Final = "flyball.dev/cap-budget"
ANNOTATION_CAP_MAXIMUM: Final = "flyball.dev/cap-maximum"
ANNOTATION_CAP_REASON: Final = "flyball.dev/cap-reason"
ANNOTATION_CAP_STATE: Final = "flyball.dev/cap-state"  # what was left of the budget, for how long, and when that was

# --- files that we write ----------------------------------------------------------------------------------------------
RULES_SUBFOLDER: Final = "prometheus/rules"
PROOFS_SUBFOLDER: Final = "prometheus/tests"  # unit tests of the rules
DASHBOARDS_SUBFOLDER: Final = "grafana"
CAPS_SUBFOLDER: Final = "kubernetes/caps"  # ScaledObjects and HorizontalPodAutoscalers
INHIBIT_RULES_FILE: Final = "alertmanager/inhibit_rules.yaml"

# --- what the reference platform and real ones say of themselves ------------------------------------------------------
BUILD_INFO: Final = "build_info"  # gauge 1 with labels service, version: a new version is a deployment

# --- events -----------------------------------------------------------------------------------------------------------
EVENT_ALERT_FIRED: Final = "alert.fired"
EVENT_ALERT_RESOLVED: Final = "alert.resolved"
EVENT_RULES_APPLIED: Final = "slo.rules_applied"
EVENT_RULES_REJECTED: Final = "slo.rules_rejected"
EVENT_EXCLUSION_ADDED: Final = "slo.exclusion_added"
EVENT_EXCLUSION_CHANGED: Final = "slo.exclusion_changed"
EVENT_EXCLUSION_REMOVED: Final = "slo.exclusion_removed"
EVENT_EXCLUSION_EXPIRED: Final = "slo.exclusion_expired"

EVENT_COST_IMPORTED: Final = "cost.imported"
EVENT_COST_RESTATED: Final = "cost.restated"  # a billing period that was imported before has other sums now
EVENT_COST_ISSUE: Final = "cost.issue"  # a breached threshold or an explained rise that somebody should look into
EVENT_QUOTA_REACHED: Final = "usage.quota_reached"
EVENT_PERIOD_CLOSED: Final = "usage.period_closed"
EVENT_DEPLOYED: Final = "deployment.finished"
EVENT_FLAG_CHANGED: Final = "flag.changed"
EVENT_TIER_CHANGED: Final = "finops.tier_changed"  # subject: the ladder; data from, to, reason, cause, step, ladder
EVENT_TIER_PROPOSED: Final = "finops.tier_proposed"  # what a ladder would do (shadow), or asks for (recommend)
EVENT_STEP_FAILED: Final = "finops.step_failed"  # a step was undone; data from, to, outcome, reason
EVENT_LADDER_HELD: Final = "finops.ladder_held"  # it cannot move: data reason; told once until it can
EVENT_FLAG_YIELDED: Final = "finops.flag_yielded"  # a person changed a flag of a tier in force; subject: the flag

# --- our own health ---------------------------------------------------------------------------------------------------
JOB_RUNS: Final = "flyball_job_runs_total"  # labels task, outcome = ok | failed | overrun | skipped
JOB_SECONDS: Final = "flyball_job_duration_seconds"  # label task
JOB_LAST_SUCCESS: Final = "flyball_job_last_success_timestamp_seconds"  # label task
LEADER: Final = "flyball_leader"  # 1 while this replica holds the lease
LEASE_EPOCH: Final = "flyball_lease_epoch"
SPEC_PROBLEMS: Final = "flyball_spec_problems"  # gauge, label severity: in the files as they stand
SPEC_REJECTED: Final = "flyball_spec_rejected_total"  # edits that did not load
APPLIED_SLOS: Final = "flyball_applied_slos"
APPLY_TOTAL: Final = "flyball_apply_total"  # label outcome = applied | unchanged | rejected | rolled_back | unreachable
ALERTS_RECEIVED: Final = "flyball_alerts_received_total"  # label status
WEBHOOK_REQUESTS: Final = "flyball_webhook_requests_total"  # labels hook, code
OUTBOX_BACKLOG: Final = "flyball_outbox_messages"
OUTBOX_DEAD: Final = "flyball_outbox_dead_letters"
DELIVERIES: Final = "flyball_deliveries_total"  # labels channel, outcome
WEBHOOK_SECONDS: Final = "flyball_webhook_duration_seconds"  # label hook
WEBHOOK_IN_FLIGHT: Final = "flyball_webhook_requests_in_flight"  # label hook
FLYBALL_BUILD_INFO: Final = "flyball_build_info"  # 1, label version
