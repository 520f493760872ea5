"""SLOs written as OpenSLO v1: whatever the model can say comes back the same."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.model.alerting import STANDARD_TIERS, Alerting, AlertMethod, AlertText, Tier, Urgency
from controlplane.model.slo import (
    SLO,
    Absent,
    BoolIndicator,
    CalendarUnit,
    CalendarWindow,
    Comparison,
    CompositeIndicator,
    CompositePart,
    DataPolicy,
    Dialect,
    LatencyIndicator,
    LegacyNames,
    NativeLatencyIndicator,
    NoTraffic,
    RatioIndicator,
    RawRatioIndicator,
    RollingWindow,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from slo.convert.burn_rate import as_burn_rate, pyrra_tiers, with_windows_of_its_tool
from slo.convert.openslo import documents_of
from slo.convert.yaml_text import to_yaml
from slo.indicators.composite import composite_objective
from slo.legacy_names import sloth_names
from tests.slo.dialects.reading import examined, told
from tests.slo.slos import POSITION, latency, query, requests

JOBS = st.sampled_from(["shop", 'say "hi"', "café"])
SHARES = st.integers(1, 9_999).map(lambda n: Decimal(n) / 10_000)
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="{}"), min_size=1, max_size=20)
WORD = st.from_regex(r"[a-z][a-z0-9_]{0,6}[a-z0-9]", fullmatch=True).filter(lambda word: word not in ("slo", "service"))
QUERIES = st.sampled_from(["probe_success", 'up{job="a"}', 'up{job=~"a|b", x!="y"}'])

counted = st.one_of(
    st.just(requests("shop")),
    st.just(latency("shop")),
    st.just(RatioIndicator(query("sum(rate(x[{{.window}}]))"), None, query('sum(rate(x{a="b"}[{{.window}}]))'))),
    st.just(RatioIndicator(query("wanted"), None, query("ready"), gauges=True)),
    st.just(LatencyIndicator(query('x_bucket{le=~"1|1\\\\.0"}'), query("x_count"), Decimal(1))),
    SHARES.map(lambda bound: NativeLatencyIndicator(query("sum(rate(x{a='b'}[5m]))"), bound)),
)
measured = st.one_of(
    counted,
    st.builds(RawRatioIndicator, QUERIES.map(query), st.booleans()),
    QUERIES.map(lambda text: BoolIndicator(query(text.replace(" ", "")))),
    st.builds(ThresholdIndicator, QUERIES.map(query), st.sampled_from(Comparison), SHARES),
)
slices = st.builds(
    TimeslicesIndicator, measured, st.sampled_from([timedelta(minutes=n) for n in (1, 5, 60)]), SHARES | st.none()
)
tiers = st.lists(
    st.builds(
        Tier,
        st.sampled_from(Urgency),
        SHARES,
        st.sampled_from([timedelta(minutes=5), timedelta(minutes=30)]),
        st.sampled_from([timedelta(hours=1), timedelta(days=3)]),
        st.sampled_from([(timedelta(hours=1),), (timedelta(minutes=5), timedelta(hours=6))]),
        st.none() | SHARES,
        st.sampled_from([timedelta(0), timedelta(minutes=15)]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
pairs = st.dictionaries(WORD, TEXT, max_size=2).map(lambda pairs: tuple(sorted(pairs.items())))
names = st.sampled_from(["", "Burning-hot"])
pages, tickets = (
    st.builds(AlertText, pairs, pairs, st.sampled_from(["", severity]), names) for severity in ("p1", "p3")
)
alertings = st.builds(
    Alerting,
    st.just(STANDARD_TIERS)
    | st.just(())
    | st.just(STANDARD_TIERS[:2])
    | st.just(pyrra_tiers(timedelta(days=14)))
    | tiers,
    st.sampled_from(AlertMethod),
    st.sampled_from([Decimal(3), Decimal(0), Decimal("7.5")]),
    pages,
    tickets,
    tickets,
)
windows = st.one_of(
    st.sampled_from([timedelta(days=28), timedelta(days=30), timedelta(hours=36)]).map(RollingWindow),
    st.builds(
        CalendarWindow,
        st.integers(1, 3),
        st.sampled_from(CalendarUnit),
        st.sampled_from(["2026-01-01T00:00:00", "2025-12-29T06:30:00"]),
        st.sampled_from(["Europe/Berlin", "UTC"]),
    ),
)
policies = st.builds(
    DataPolicy,
    st.sampled_from(NoTraffic),
    st.sampled_from(Absent),
    st.sampled_from([timedelta(minutes=15), timedelta(hours=1)]),
    st.sampled_from(["", 'up{job="x"}']),
)
legacies = st.one_of(
    st.none(),
    st.just(sloth_names("shop", "checkout", {}, recorded=True)),
    st.just(LegacyNames(Dialect.PYRRA, (("slo", "Other.Name"), ("team", "a")))),
)
slos = st.builds(
    SLO,
    name=st.just("checkout"),
    service=TEXT.filter(str.strip),
    objective=SHARES,
    window=windows,
    indicator=measured | slices,
    source=st.just(POSITION),
    display_name=TEXT | st.just(""),
    description=TEXT | st.just(""),
    owner=TEXT.filter(str.strip) | st.just(""),
    runbook_url=st.sampled_from(["", "https://wiki.example/a b?c=d#e"]),
    labels=pairs,
    worst_by=st.sampled_from([(), ("code", "route")]),
    groups=st.sampled_from([(), ("tenant", "region")]),
    policy=policies,
    alerting=alertings,
    legacy_names=legacies,
)


def back(slo: SLO) -> SLO:
    """The SLO written, and read again."""
    found = examined(to_yaml(documents_of(slo)))
    assert [line for line in told(found) if ": error: " in line] == []
    (again,) = found.slos
    return again


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(slos)
def test_every_slo_comes_back_the_same(slo: SLO) -> None:
    settled = with_windows_of_its_tool(slo)
    assert back(settled) == settled


def test_a_composite_comes_back_the_same() -> None:
    measured = (latency("shop"), requests("shop"))
    parts = (
        CompositePart("fast", measured[0], Decimal("0.95"), Decimal(3)),
        CompositePart("right", measured[1], Decimal("0.99"), Decimal(1)),
    )
    length, both = timedelta(minutes=5), ((parts[0], measured[0]), (parts[1], measured[1]))
    sliced = (
        tuple(replace(part, indicator=TimeslicesIndicator(of, length, target)) for part, of in both)
        for target in (None, Decimal("0.9"))
    )
    for each in (parts, *sliced):
        indicator = CompositeIndicator(each)
        objective = composite_objective(indicator)
        slo = SLO("whole", "shop", objective, RollingWindow(timedelta(days=30)), indicator, POSITION)
        assert back(slo) == slo


@given(st.recursive(TEXT | st.booleans(), lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20))
def test_yaml_text_says_what_it_was_given(value: object) -> None:
    assert yaml.safe_load(to_yaml([{"value": value}])) == {"value": value}  # type: ignore[dict-item]


def test_sloths_thresholds_are_not_held_at_one() -> None:
    slo = SLO("a", "b", Decimal("0.999"), RollingWindow(timedelta(days=28)), requests("x"), POSITION)
    theirs = as_burn_rate(replace(slo, legacy_names=sloth_names("b", "a", {}, recorded=False)))
    rates = [tier.burn_rate for tier in theirs.alerting.tiers]
    assert rates == [None, None, None, Decimal("0.93333333333333333")]
    assert theirs.alerting.method is AlertMethod.BURN_RATE


def test_pyrras_windows_grow_and_shrink_with_the_period() -> None:
    four_weeks, week = pyrra_tiers(timedelta(days=28)), pyrra_tiers(timedelta(days=7))
    minutes = [[length // timedelta(minutes=1) for length in (t.hold, t.short, t.long)] for t in (*four_weeks, *week)]
    assert minutes[:4] == [[2, 5, 60], [15, 30, 360], [60, 120, 1440], [180, 360, 5760]]
    assert minutes[4:] == [[1, 5, 15], [4, 8, 90], [15, 30, 360], [45, 90, 1440]]
