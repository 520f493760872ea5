"""Sloth's files: `version: prometheus/v1`, PrometheusServiceLevel and AlertWindows."""

from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.burn_rate import threshold
from controlplane.model.alerting import STANDARD_TIERS, AlertText, Urgency
from controlplane.model.slo import Dialect, LatencyIndicator, LegacyNames, RatioIndicator, RawRatioIndicator
from tests.slo.dialects.reading import a_pyrra_file, a_sloth_file, examined, the_slo, told

KUBERNETES = """\
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata:
  name: checkout-slos
  namespace: monitoring
  annotations: {flyball.dev/owner: payments, flyball.dev/keep-names: sloth, kubectl.kubernetes.io/x: y}
spec:
  service: Checkout.API
  labels: {team: payments}
  slos:
  - name: availability
    objective: 99.5
    description: Few errors.
    labels: {tier: "2"}
    sli: {events: {errorQuery: 'rate(x{code="500"}[{{.window}}])', totalQuery: "rate(x[{{.window}}])"}}
    alerting:
      name: CheckoutErrors
      labels: {category: availability}
      annotations: {summary: "{{ $labels.sloth_service }} {{$labels.sloth_slo}} burns"}
      pageAlert: {labels: {severity: critical, route: phone}}
      ticketAlert: {disable: true}
"""
WINDOWS = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: %s
  page:
    quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d}
"""


def test_a_service_level_becomes_an_slo_of_thirty_days() -> None:
    slo = the_slo(a_sloth_file(top="labels: {team: payments, critical: true}"))
    assert (slo.name, slo.service, slo.objective) == ("checkout-availability", "checkout", Decimal("0.999"))
    assert slo.window.length == timedelta(days=30)
    assert isinstance(slo.indicator, RatioIndicator)
    assert slo.labels == (("critical", "true"), ("team", "payments"))
    assert slo.alerting.tiers == STANDARD_TIERS
    assert slo.alerting.page == AlertText(name="CheckoutErrors")


def test_the_kubernetes_resource_says_the_same_in_camel_case() -> None:
    slo = the_slo(KUBERNETES)
    assert (slo.name, slo.service, slo.owner) == ("checkout-api-availability", "Checkout.API", "payments")
    assert {tier.urgency for tier in slo.alerting.tiers} == {Urgency.PAGE}
    page = slo.alerting.page
    assert (page.severity, page.labels) == ("critical", (("category", "availability"), ("route", "phone")))
    assert page.annotations == (("summary", "Checkout.API availability burns"),)
    ids = {"sloth_id": "Checkout.API-availability", "sloth_service": "Checkout.API", "sloth_slo": "availability"}
    labels = tuple(sorted({"team": "payments", "tier": "2", **ids}.items()))
    assert slo.legacy_names == LegacyNames(Dialect.SLOTH, labels)


def test_all_events_without_those_of_a_bucket_are_a_latency() -> None:
    total = "sum(rate(x_seconds_count[{{.window}}]))"
    fast = 'sum(rate(x_seconds_bucket{le="0.4"}[{{ .window }}]))'
    sli = f"events: {{error_query: '( {total} - {fast} )', total_query: \"{total}\"}}"
    indicator = the_slo(a_sloth_file(sli=sli)).indicator
    assert isinstance(indicator, LatencyIndicator)
    assert (indicator.threshold, indicator.within.text.strip()) == (Decimal("0.4"), fast)


def test_an_error_ratio_is_taken_as_it_is() -> None:
    sli = 'raw: {error_ratio_query: "1 - avg_over_time(up[{{.window}}])"}'
    indicator = the_slo(a_sloth_file(sli=sli)).indicator
    assert isinstance(indicator, RawRatioIndicator)
    assert indicator.is_failure


def test_queries_that_count_no_events_are_taken_as_their_ratio_with_a_warning() -> None:
    sli = 'events: {error_query: "max_over_time(a[{{.window}}:1m])", total_query: "max_over_time(b[{{.window}}:1m])"}'
    found = examined(a_sloth_file(sli=sli))
    assert [line.split(": ")[1:3] for line in told(found)] == [["warning", "slos[0].sli.events.error_query"]]
    (slo,) = found.slos
    assert isinstance(slo.indicator, RawRatioIndicator)


def test_the_catalogue_of_windows_gives_the_only_period_that_can_be_meant() -> None:
    slo = the_slo(a_sloth_file(), WINDOWS % "7d")
    assert slo.window.length == timedelta(days=7)
    assert [tier.budget_share for tier in slo.alerting.tiers] == [Decimal(n) for n in ("0.08", "0.125", "0.2", "0.42")]
    assert slo.alerting.tiers[0].spent_within == (timedelta(minutes=5), timedelta(hours=1))


def test_windows_for_thirty_days_leave_the_period_as_it_is() -> None:
    slo = the_slo(a_sloth_file(), WINDOWS % "30d", WINDOWS % "7d")
    assert slo.window.length == timedelta(days=30)


def test_two_other_periods_are_one_too_many() -> None:
    assert "which period do the SLOs have?" in told(examined(a_sloth_file(), WINDOWS % "7d", WINDOWS % "14d"))[0]


PLUGINS = "plugins: {chain: [{id: %s, config: {labels: {plug-l1: in}}}]}"


@pytest.mark.parametrize(
    "plugin", ["sloth.dev/core/debug/v1", "sloth.dev/core/noop/v1", "sloth.dev/contrib/denominator_corrected_rules/v1"]
)
def test_plugins_that_ask_for_what_we_do_anyway_are_fine(plugin: str) -> None:
    assert the_slo(a_sloth_file(more=PLUGINS % plugin)).labels == ()


def test_labels_for_the_info_metric_are_labels() -> None:
    assert the_slo(a_sloth_file(more=PLUGINS % "sloth.dev/contrib/info_labels/v1")).labels == (("plug_l1", "in"),)


def test_a_chain_without_alerts_has_no_alerts() -> None:
    chain = "slo_plugins: {overridePrevious: true, chain: [{id: sloth.dev/core/sli_rules/v1}]}"
    assert the_slo(a_sloth_file(top=chain)).alerting.tiers == ()


def test_alerts_that_are_disabled_need_no_name() -> None:
    alerting = "{page_alert: {disable: true}, ticket_alert: {disable: true}}"
    assert the_slo(a_sloth_file(alerting=alerting)).alerting.tiers == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (a_sloth_file(objective="100"), "a.yaml:6:14: error: slos[0].objective: an objective of 100 %"),
        (a_sloth_file(objective="101"), "a.yaml:6:14: error: slos[0].objective: must be between 0 and 100"),
        (a_sloth_file(service='""'), "a.yaml:2:10: error: service: must not be empty"),
        (a_sloth_file(name="a b"), "a.yaml:5:9: error: slos[0].name: `a b` is not a name"),
        (a_sloth_file(sli="{}"), "a.yaml:7:3: error: slos[0].sli: no indicator"),
        (a_sloth_file(sli="plugin: {id: mine}"), "a.yaml:8:18: error: slos[0].sli.plugin.id: the plugin `mine` is a"),
        (a_sloth_file(alerting="{}"), "a.yaml:9:3: error: slos[0].alerting.name: alerts need a name"),
        (a_sloth_file(alerting="{name: A, pages: 1}"), "a.yaml:9:23: error: slos[0].alerting.pages: unknown field"),
        (a_sloth_file(more=PLUGINS % "mine/v1"), "a.yaml:10:26: error: slos[0].plugins.chain[0].id: the plugin `mine"),
        (a_sloth_file().replace("{{.window}}", "5m"), "a.yaml:8:27: error: slos[0].sli.events.error_query: no {{.win"),
        (a_sloth_file().replace("rate(x[", "rate(x{["), "a.yaml:8:84: error: slos[0].sli.events.total_query"),
        (a_sloth_file().replace("prometheus/v1", "prometheus/v2"), "a.yaml:1:10: error: version: unknown version"),
        (WINDOWS % "soon", "a.yaml:4:14: error: spec.sloPeriod: `soon` is not a duration"),
    ],
)
def test_mistakes_are_told_at_their_place(text: str, expected: str) -> None:
    assert told(examined(text))[0].startswith(expected), told(examined(text))


def test_a_name_that_two_dialects_use_is_taken() -> None:
    (problem,) = told(examined(a_sloth_file(), a_pyrra_file(name="checkout-availability")))
    assert problem == "b.yaml:4:9: error: metadata.name: the name `checkout-availability` is taken"


def test_who_asks_for_burn_rates_gets_sloths_factors() -> None:
    policy = """\
apiVersion: flyball.dev/v1
kind: SLOPolicy
metadata: {name: classic}
spec: {select: {all: true}, alerts: {method: burn-rate}}
"""
    slo = the_slo(a_sloth_file(), policy, WINDOWS % "28d")
    rates = [threshold(tier, slo.window.length) for tier in slo.alerting.tiers]
    assert rates == [Decimal("53.76"), Decimal(14), Decimal("5.6"), Decimal("3.92")]
    shorter = the_slo(a_sloth_file(), policy, (WINDOWS % "28d").replace("42", "10"))
    assert shorter.alerting.tiers[3].burn_rate == Decimal("0.93333333333333333")
