"""Every lint rule: what it finds, why that matters, and the way out. docs/reference/lint.md is written from this."""

from collections.abc import Mapping
from typing import Final

from slo.lint.rule import Level, LintRule

MISSING_OWNER: Final = LintRule(
    "missing-owner",
    "An SLO without an owner.",
    "When its budget burns, somebody must decide what is done, and a year later somebody must know whether the"
    " objective still means anything. The owner also stands in `slo:info`, for routing and for reports.",
    "Write the annotation `flyball.dev/owner: team-shop`; in Sloth and Pyrra files a label `owner` or `team` counts"
    " as well.",
)
MISSING_RUNBOOK: Final = LintRule(
    "missing-runbook",
    "An SLO without a runbook.",
    "A page wakes somebody who may never have seen this service. Its first link should say what to do.",
    "Write the annotation `flyball.dev/runbook-url: https://…`, or set `spec.slo.runbookUrl` in `flyball.yaml` once"
    " for all: `https://runbooks.example/{service}/{slo}`.",
)
ALERT_UNREACHABLE: Final = LintRule(
    "alert-unreachable",
    "An alert that can never fire.",
    "A budget burns at most 1 / (1 − objective) times too fast: ten times at 90 %. A tier with a higher threshold,"
    " such as 14.4, is never reached, even when every request fails.",
    "Choose a higher objective, a shorter window, or tiers with smaller shares of the budget.",
)
NO_ALERTS: Final = LintRule(
    "no-alerts",
    "An SLO that tells nobody.",
    "All of its alerting tiers are gone: switched off, or longer than its window. Its budget can be spent in silence.",
    "Keep a page or a ticket, or say that the silence is meant: `flyball.dev/lint-ignore: no-alerts`.",
)
SUSPICIOUS_OBJECTIVE: Final = LintRule(
    "suspicious-objective",
    "An objective that is probably a slip.",
    "Below 50 % most events may be bad. Above 99.999 % a window of 30 days leaves 26 seconds of outage, less than one"
    " evaluation of an alert takes. Often a zero or a nine too many, or per cent written as a share.",
    "Write the objective that users would notice to be broken; if it is meant, say"
    " `flyball.dev/lint-ignore: suspicious-objective`.",
)
ODD_WINDOW: Final = LintRule(
    "odd-window",
    "A window that makes the budget hard to read.",
    "In less than a day the budget mostly tells the time of day; in more than a year nobody remembers what spent it."
    " A window of a few days that is no whole number of weeks holds now one weekend, now two, so that the budget"
    " moves although nothing happens.",
    "Use 28 or 30 days, 7, 14 or 90, or a calendar window.",
)
ANY_SERVICE: Final = LintRule(
    "any-service",
    "A selector without any condition.",
    "It adds up the events of every service that has the metric: today one, tomorrow all that are deployed beside it."
    " A busy neighbour then hides the errors of a quiet service.",
    'Select the service: `http_requests_total{job="checkout"}`.',
)
PATTERN_AS_TEXT: Final = LintRule(
    "pattern-as-text",
    "A regular expression after `=`.",
    '`code="5.."` asks for a code that is written with two dots; nothing matches, and an error query that matches'
    " nothing reads as perfect: its alerts never fire.",
    'Write `=~`: `code=~"5.."`.',
)
NOT_AMONG_TOTAL: Final = LintRule(
    "not-among-total",
    "Bad or good events that are not among all events.",
    "Both queries count one metric, but with different values of the same label, such as two jobs: the ratio compares"
    " what has nothing to do with each other.",
    "Give both queries the same conditions, and one of them those that make an event bad or good.",
)
ALWAYS_EXCLUDED: Final = LintRule(
    "always-excluded",
    "A recurring exclusion that takes out most of the time.",
    "What is excluded spends no budget and raises no alert. Most often the duration is as long as the step, or a part"
    " of the recurrence (`BYDAY`) is missing.",
    "Shorten the duration or let it happen less often.",
)
EXPIRED_EXCLUSION: Final = LintRule(
    "expired-exclusion",
    "An exclusion that takes nothing out any more.",
    "After its expiry an exclusion has no effect, but whoever reads the file still believes in it.",
    "Remove it, or agree on a new date.",
)
METRIC_UNKNOWN: Final = LintRule(
    "metric-unknown",
    "A metric that Prometheus does not have.",
    "No series of this name was seen for a day. The SLO has no data, or (for errors that were never counted) will not"
    " see them when they come.",
    "Look at the suggestion; otherwise check whether the target is scraped.",
    needs_server=True,
)
LABEL_UNKNOWN: Final = LintRule(
    "label-unknown",
    "A label that no series of the metric has.",
    'A missing label is the empty text to PromQL: `code=~"5.."` on a metric whose label is called `status` matches'
    " nothing, and an error query that matches nothing reads as perfect.",
    "Use the label that the metric has.",
    needs_server=True,
)
VALUE_UNKNOWN: Final = LintRule(
    "value-unknown",
    "A label value that matches nothing.",
    "The metric and the label exist, but not with this value: a mistyped or renamed job. Conditions that only the bad"
    ' events have (`code=~"5.."`) are left alone, since errors may never have happened yet.',
    "Use a value that exists; the hint says which there are.",
    needs_server=True,
)
SELECTOR_EMPTY: Final = LintRule(
    "selector-empty",
    "Conditions that hold one by one, but never together.",
    "Each value exists somewhere, but no series has all of them.",
    "Remove conditions until something is left.",
    needs_server=True,
)
BUCKET_MISSING: Final = LintRule(
    "bucket-missing",
    "A latency threshold that is no bound of the histogram.",
    "A classic histogram knows only the bounds of its buckets. Without one at the threshold there is nothing to count:"
    " the SLO has no data.",
    "Choose one of the bounds that the hint names, or add the bucket where the histogram is made.",
    needs_server=True,
)
TWO_SERVICES: Final = LintRule(
    "two-services",
    "A selector that matches two services.",
    "Both are added up: the errors of the quiet one disappear in the traffic of the busy one.",
    "Add a condition on the label that tells them apart, or make it a group: `flyball.dev/group-by`. If they are one"
    ' service, name them: a condition such as `job=~"a|b"` says so.',
    needs_server=True,
)
OBJECTIVE_TOO_FINE: Final = LintRule(
    "objective-too-fine",
    "An objective finer than the traffic can measure.",
    "At 40 requests an hour a window of 30 days holds 28,800 requests. At 99.99 % three of them may fail: the first"
    " unlucky minute spends the budget, and no alert can come in time. At 99.9 % each is 3.5 % of the budget, more than"
    " the 2 % that a page waits for: only the floor of `fewestBadEvents` keeps one error from paging you. With"
    " burn-rate alerts one is enough.",
    "Choose the objective that the hint names, a longer window, or add synthetic traffic.",
    needs_server=True,
)
RETENTION_TOO_SHORT: Final = LintRule(
    "retention-too-short",
    "A window longer than Prometheus keeps its data.",
    "The budget of 30 days is a sum over 30 days of recorded events. Where only 15 days are kept, it shows those, and"
    " the coverage never passes 50 %.",
    "Raise `--storage.tsdb.retention.time`, choose a shorter window, or evaluate the rules where data is kept longer.",
    needs_server=True,
)
SCRAPE_TOO_SLOW: Final = LintRule(
    "scrape-too-slow",
    "Targets scraped too rarely for rates over 5 minutes.",
    "A rate needs two samples. Above two minutes between scrapes one that fails leaves a hole in a 5-minute rate, and"
    " events are lost.",
    "Scrape these targets every minute or faster.",
    needs_server=True,
)
NOT_A_COUNTER: Final = LintRule(
    "not-a-counter",
    "A gauge that is counted as if it were a counter.",
    "`rate` takes every fall of a value for a restart and adds it up: of a gauge that goes up and down it makes events"
    " out of nothing.",
    "Give a counter (usually named `…_total`), or measure the gauge with a `thresholdMetric`.",
    needs_server=True,
)

RULES: Final[tuple[LintRule, ...]] = (
    MISSING_OWNER, MISSING_RUNBOOK, ALERT_UNREACHABLE, NO_ALERTS, SUSPICIOUS_OBJECTIVE, ODD_WINDOW, ANY_SERVICE,
    PATTERN_AS_TEXT, NOT_AMONG_TOTAL, ALWAYS_EXCLUDED, EXPIRED_EXCLUSION, METRIC_UNKNOWN, LABEL_UNKNOWN, VALUE_UNKNOWN,
    SELECTOR_EMPTY, BUCKET_MISSING, TWO_SERVICES, OBJECTIVE_TOO_FINE, RETENTION_TOO_SHORT, SCRAPE_TOO_SLOW,
    NOT_A_COUNTER,
)  # fmt: skip
BY_NAME: Final[Mapping[str, LintRule]] = {rule.name: rule for rule in RULES}
SETTINGS: Final = LintRule(  # not to be switched off: it says that a switch does nothing
    "lint-settings", "A rule that does not exist.", "", "", level=Level.ERROR
)
