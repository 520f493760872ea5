"""Pyrra's files: ServiceLevelObjective."""

from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.model.alerting import STANDARD_TIERS
from controlplane.model.slo import (
    Absent,
    BoolIndicator,
    Dialect,
    LatencyIndicator,
    LegacyNames,
    NativeLatencyIndicator,
    RatioIndicator,
)
from slo.convert.burn_rate import pyrra_tiers
from tests.slo.dialects.reading import a_pyrra_file, examined, the_slo, told


def test_an_objective_becomes_an_slo_with_our_alerts() -> None:
    slo = the_slo(a_pyrra_file())
    assert (slo.name, slo.service, slo.objective) == ("checkout-errors", "shop", Decimal("0.999"))
    assert slo.window.length == timedelta(days=28)
    assert isinstance(slo.indicator, RatioIndicator)
    assert slo.alerting.tiers == STANDARD_TIERS


def test_labels_with_pyrras_prefix_and_the_namespace_are_kept() -> None:
    about = (
        "namespace: ours\n  labels: {pyrra.dev/team: a, prometheus: k8s}\n  annotations: {pyrra.dev/runbook_url: %s}"
    )
    slo = the_slo(a_pyrra_file(metadata=about % "https://wiki.example/x"))
    assert slo.labels == (("namespace", "ours"), ("team", "a"))
    assert slo.runbook_url == "https://wiki.example/x"
    kept = (("slo", "checkout-errors"), ("team", "a"))
    assert slo.legacy_names == LegacyNames(Dialect.PYRRA, kept, recorded=False)


@pytest.mark.parametrize(
    ("indicator", "kind", "groups"),
    [
        (
            "latency: {success: {metric: 'x_bucket{le=\"1\"}'}, total: {metric: x_count}, grouping: [handler]}",
            LatencyIndicator,
            ("handler",),
        ),
        ("latencyNative: {latency: 200ms, total: {metric: 'x{a=\"b\"}'}}", NativeLatencyIndicator, ()),
        ("bool_gauge: {metric: probe_success, grouping: [target, region]}", BoolIndicator, ("target", "region")),
    ],
)
def test_every_indicator_is_understood(indicator: str, kind: type, groups: tuple[str, ...]) -> None:
    slo = the_slo(a_pyrra_file(indicator=indicator))
    assert isinstance(slo.indicator, kind)
    assert slo.groups == groups


def test_a_native_histograms_bound_is_exact() -> None:
    indicator = the_slo(a_pyrra_file(indicator="latencyNative: {latency: 1m500ms, total: {metric: x}}")).indicator
    assert isinstance(indicator, NativeLatencyIndicator)
    assert indicator.threshold == Decimal("60.5")


def test_a_group_by_a_label_of_ours_moves_aside() -> None:
    found = examined(a_pyrra_file(indicator="bool_gauge: {metric: probe_success, grouping: [service]}"))
    assert "its values are in `exported_service`" in told(found)[0]
    (slo,) = found.slos
    assert slo.groups == ("exported_service",)
    assert isinstance(slo.indicator, BoolIndicator)
    assert slo.indicator.gauge.text == 'label_replace(probe_success, "exported_service", "$1", "service", "(.*)")'


def test_alerting_is_taken_over() -> None:
    more = "alerting: {name: A, absentName: B, absent: false, severities: {fastBurn: p1, mediumBurn: p1, slowBurn: p3}}"
    slo = the_slo(a_pyrra_file(more=more))
    alerting = slo.alerting
    assert (alerting.page.name, alerting.page.severity, alerting.ticket.severity) == ("A", "p1", "p3")
    assert (alerting.absence.name, slo.policy.absent) == ("B", Absent.IGNORE)


@pytest.mark.parametrize("setting", ["disabled: true", "burnrates: false"])
def test_an_objective_without_alerts_has_none(setting: str) -> None:
    assert the_slo(a_pyrra_file(more=f"alerting: {{{setting}}}")).alerting.tiers == ()


RATIO = "ratio: {errors: {metric: '%s'}, total: {metric: '%s'}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (a_pyrra_file(target="'100'"), "a.yaml:7:11: error: spec.target: an objective of 100 %"),
        (a_pyrra_file(target="'0.999'"), "a.yaml:7:11: warning: spec.target: a target of 0.999 is 0.999 per cent"),
        (a_pyrra_file(target="many"), "a.yaml:7:11: error: spec.target: expected a number"),
        (a_pyrra_file(window="a month"), "a.yaml:8:11: error: spec.window: `a month` is not a duration"),
        (a_pyrra_file(window="10m"), "a.yaml:8:11: error: spec.window: must be between 1h and 3650d"),
        (a_pyrra_file(indicator="{}"), "a.yaml:10:3: error: spec.indicator: no indicator"),
        (
            a_pyrra_file(indicator=RATIO % ("sum(x)", "x")),
            "a.yaml:11:30: error: spec.indicator.ratio.errors.metric: expected a metric without any function",
        ),
        (a_pyrra_file(indicator=RATIO % ("x", "x")), "a.yaml:11:30: error: spec.indicator.ratio.errors.metric: errors"),
        (
            a_pyrra_file(indicator=RATIO % ('x{a="1"', "x")),
            "a.yaml:11:32: error: spec.indicator.ratio.errors.metric",
        ),
        (
            a_pyrra_file(indicator="latency: {success: {metric: x_bucket}, total: {metric: x_count}}"),
            "a.yaml:11:33: error: spec.indicator.latency.success.metric: without one `le`",
        ),
        (a_pyrra_file(more="ruleOutput: {}"), "a.yaml:9:3: warning: spec.ruleOutput: changes nothing here"),
        (a_pyrra_file(more="alert: {}"), "a.yaml:9:3: error: spec.alert: unknown field `alert`"),
    ],
)
def test_mistakes_are_told_at_their_place(text: str, expected: str) -> None:
    assert told(examined(text))[0].startswith(expected), told(examined(text))


def test_the_same_name_in_two_namespaces_is_taken() -> None:
    texts = (a_pyrra_file(metadata=f"namespace: {each}") for each in "ab")
    assert told(examined(*texts)) == ["b.yaml:4:9: error: metadata.name: the name `checkout-errors` is taken"]


def test_who_asks_for_burn_rates_gets_pyrras_windows() -> None:
    slo = the_slo(a_pyrra_file(metadata="annotations: {flyball.dev/alerts: burn-rate}"))
    assert slo.alerting.tiers == pyrra_tiers(timedelta(days=28))
