"""Names of metrics, labels, alerts and events of the anomaly detector: a part of `conventions`.

`anomaly_score`, `y`, `yhat`, `yhat_lower` and `yhat_upper` are VictoriaMetrics' vmanomaly's names.
"""

from typing import Final

# --- labels -----------------------------------------------------------------------------------------------------------
DETECTOR: Final = "detector"  # the AnomalyDetector's name; a series' own label of that name becomes exported_detector
OUTPUT: Final = "output"  # point | sustained
BASELINE: Final = "baseline"  # level | daily | weekly | cost
GROUP: Final = "group"  # 1 on the aggregate of a group, which has the group's labels only
STATE: Final = "state"

# --- of each series: the detector's label, the series' own labels -----------------------------------------------------
SCORE: Final = "anomaly_score"  # of `point`: how far off ÷ how far off is anomalous; above 1 is anomalous
SUSTAINED_SCORE: Final = "anomaly_sustained_score"  # the same of `sustained`
OPEN: Final = "anomaly_open"  # 1 while an anomaly is open, else 0; label output
VALUE: Final = "y"  # what was scored: the query's value, of counters their rate a second
EXPECTED: Final = "yhat"
LOWER: Final = "yhat_lower"
UPPER: Final = "yhat_upper"
CHOSEN_BASELINE: Final = "anomaly_baseline"  # 1, label baseline
MATURITY: Final = "anomaly_maturity"  # 0 cold, 1 level only (no alert), 2 daily, 3 weekly
HISTORY: Final = "anomaly_history_seconds"  # how much past the model knows
COVERAGE: Final = "anomaly_coverage_ratio"  # share of the past day's steps that have a sample; below 0.5 no score
GAP: Final = "anomaly_gap"  # 1 while samples are missing that used to come

# --- of each detector -------------------------------------------------------------------------------------------------
SCORED_AT: Final = "anomaly_scored_timestamp_seconds"  # the newest step that was scored
FITTED_AT: Final = "anomaly_model_fitted_timestamp_seconds"  # when its models were last fitted

# --- our own health ---------------------------------------------------------------------------------------------------
SERIES: Final = "flyball_anomaly_series"  # gauge, labels detector, state = scored | warming | gap | dropped
SAMPLES: Final = "flyball_anomaly_samples_total"  # label detector, outcome = new | late | duplicate | too_late
CYCLE_SECONDS: Final = "flyball_anomaly_cycle_seconds"  # histogram, label phase = read | fit | score | store
FAILING: Final = "flyball_anomaly_failing"  # 1 while its samples cannot be read; label detector
REBUILT: Final = "flyball_anomaly_models_rebuilt_total"  # label reason = version | definition | damaged | missing

# --- alerts -----------------------------------------------------------------------------------------------------------
ALERT_ANOMALY: Final = "AnomalyDetected"  # labels detector, output, the series' own
ALERT_GAP: Final = "AnomalySeriesMissing"
ALERT_STALE: Final = "AnomalyDetectorStale"

# --- events: subject `DETECTOR{labels}`; data detector, labels, service, output, value, expected, lower, upper, score -
EVENT_STARTED: Final = "anomaly.started"
EVENT_ENDED: Final = "anomaly.ended"
EVENT_SHIFTED: Final = "anomaly.level_shifted"
EVENT_GAP: Final = "anomaly.gap"
EVENT_FEEDBACK: Final = "anomaly.feedback"
