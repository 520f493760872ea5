"""Composites as OpenSLO defines them, under promtool, with truths computed by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.prometheus_data import Backend
from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.slo import (
    SLO,
    Comparison,
    CompositeIndicator,
    CompositePart,
    DataPolicy,
    Measured,
    NoTraffic,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from flyball.demo import servers
from slo import cold_start
from slo.compiler import compile_rules
from slo.indicators.composite import composite_objective, fastest_burn
from slo.passes.traffic import is_measured_in_time
from tests.slo.rules_under_promtool import PLAIN, SHARED, Check, Traffic, pieces, run, steady
from tests.slo.slos import an_slo, query, requests

MINUTES = 90
MINUTE = timedelta(minutes=1)
STRICT, LOOSE = Decimal("0.999"), Decimal("0.99")


def composite(name: str, *parts: CompositePart, days: float = 30) -> SLO:
    indicator = CompositeIndicator(parts)
    return an_slo(name, indicator, f"{composite_objective(indicator):f}", days)


def part(
    job: str, objective: Decimal, weight: str = "1", of: Measured | TimeslicesIndicator | None = None
) -> CompositePart:
    return CompositePart(job, of or requests(job), objective, Decimal(weight))


def burning(values: Mapping[str, float], window: str = "5m") -> Check:
    """Burn rates to four digits."""
    samples = {f'{{slo="{name}"}}': round(value * 10_000) for name, value in values.items()}
    return Check("80m", f"sum by (slo) (round(slo:burn_rate:{window} * 10000))", samples)


# Of STRICT an error share of 1 % burns 10×, of LOOSE one of 10 %.
TRAFFIC = {
    "strict-burns": steady(600, 0.01, MINUTES),
    "strict-well": steady(60, 0, MINUTES),
    "loose-burns": steady(30, 0.1, MINUTES),
    "loose-well": steady(6000, 0, MINUTES),
    "idle": Traffic(f"1000+0x{MINUTES}", f"50+0x{MINUTES}"),
    "gone": Traffic(pieces((570, 40)) + f" stale _x{MINUTES}", pieces((30, 40)) + f" stale _x{MINUTES}"),
}
BY_BURN_RATE: dict[str, tuple[float, tuple[CompositePart, ...]]] = {
    "one": (10, (part("strict-burns", STRICT), part("loose-well", LOOSE, "0.5"))),
    "half": (5, (part("strict-well", STRICT), part("loose-burns", LOOSE, "0.5"))),
    "heavy": (1000, (part("strict-burns", STRICT, "100"), part("loose-well", LOOSE))),
    "both": (15, (part("strict-burns", STRICT), part("loose-burns", LOOSE, "0.5"))),
    "three": (40, (part("strict-burns", STRICT), part("loose-burns", LOOSE, "3"), part("strict-well", STRICT))),
    "nowhere": (10, (part("strict-burns", STRICT), part("missing", LOOSE, "7"))),
    "idle": (10, (part("strict-burns", STRICT), part("idle", LOOSE, "7"))),
    "gone": (10, (part("strict-burns", STRICT), part("gone", STRICT, "7"))),
    "lightly": (0.02, (part("strict-burns", STRICT, "0.001"), part("loose-burns", LOOSE, "0.001"))),
}


@pytest.mark.parametrize("options", [PLAIN, SHARED], ids=["plain", "shared"])
def test_burn_rates_of_the_parts_add_up_by_weight(promtool: str, tmp_path: Path, options: object) -> None:
    slos = [composite(name, *parts) for name, (_, parts) in BY_BURN_RATE.items()]
    idle = composite("quiet", part("idle", LOOSE), part("idle-too", LOOSE))
    by_route = replace(composite("by-route", *BY_BURN_RATE["both"][1]), groups=("route",))
    truths = {name: rate for name, (rate, _) in BY_BURN_RATE.items() if name != "gone"} | {by_route.name: 15}
    there = {"5m": burning(truths), "1h": burning(truths, "1h")}
    checks = [
        *(
            replace(check, expr=check.expr.replace(f"rate:{window}", f'rate:{window}{{slo!="gone"}}'))
            for window, check in there.items()
        ),
        # What is usual was learned in these 80 minutes, of which the first five saw less.
        Check("80m", 'sum by (slo) (round(slo:burn_rate:5m{slo="gone"}))', {'{slo="gone"}': 10}),
        Check("80m", 'sum by (slo) (slo:sli_events:rolling5m{slo="quiet"})', {'{slo="quiet"}': 0}),
        Check("80m", "slo:sli_events:rolling5m{event='bad'} > ignoring (event) slo:sli_events:rolling5m{event='all'}"),
    ]
    run(promtool, tmp_path, TRAFFIC, checks, interval="1m", options=options, slos=[*slos, idle, by_route])  # type: ignore[arg-type]


def slices(of: Measured, target: str | None) -> TimeslicesIndicator:
    return TimeslicesIndicator(of, MINUTE, None if target is None else Decimal(target))


def high(metric: str) -> TimeslicesIndicator:
    """A slice is bad while the metric is 1."""
    return slices(ThresholdIndicator(query(metric), Comparison.AT_MOST, Decimal("0.5")), "1")


def missing(metric: str) -> TimeslicesIndicator:
    return slices(RawRatioIndicator(query(metric), is_failure=True), None)


def test_slices_of_the_parts_become_slices_of_the_whole(promtool: str, tmp_path: Path) -> None:
    gauges = {
        "early": "1 1 0 0 0 " * 18, "late": "0 1 1 0 0 " * 18, "well": f"0x{MINUTES}",
        "some": f"0.05x{MINUTES}", "most": f"0.6x{MINUTES}",
    }  # fmt: skip
    tenth = Decimal("0.9")
    parts: dict[str, tuple[float, tuple[CompositePart, ...]]] = {
        # Minutes 1, 2 and 3 of five are bad for one or the other: 60 %, of a budget of (1 % + 10 %) ÷ 2.
        "any": (0.6 / 0.055, (part("a", LOOSE, of=high("early")), part("b", tenth, of=high("late")))),
        "any-heavy": (0.6 / 0.055, (part("a", LOOSE, "9", high("early")), part("b", tenth, of=high("late")))),
        "any-of-one": (0.4 / 0.055, (part("a", LOOSE, of=high("early")), part("b", tenth, of=high("well")))),
        "any-of-known": (0.4 / 0.055, (part("a", LOOSE, of=high("early")), part("b", tenth, of=high("nowhere")))),
        "sum": (0.1 / 0.1, (part("a", tenth, of=missing("some")), part("b", tenth, of=missing("some")))),
        "by-weight": (0.15 / 0.1, (part("a", tenth, "2", missing("some")), part("b", tenth, of=missing("some")))),
        "capped": (1 / 0.1, (part("a", tenth, of=missing("most")), part("b", tenth, of=missing("most")))),
        "sum-of-known": (0.05 / 0.1, (part("a", tenth, of=missing("some")), part("b", tenth, of=missing("nowhere")))),
    }  # fmt: skip
    slos = [composite(name, *each) for name, (_, each) in parts.items()]
    truths = {name: rate for name, (rate, _) in parts.items()}
    slices_of = 'sum by (slo) (slo:sli_events:rolling5m{event="all"})'
    checks = [
        burning(truths),
        burning(truths, "1h"),
        Check("80m", slices_of, {f'{{slo="{name}"}}': 5 for name in parts}),
    ]
    run(promtool, tmp_path, {}, checks, interval="1m", options=PLAIN, slos=slos, extra=gauges)


def test_what_a_part_spends_of_its_own_budget_it_spends_of_the_composites(promtool: str, tmp_path: Path) -> None:
    """Over a day: one part spends all of its budget; one of half the weight is there for half of it, and burns 0.5×."""
    whole, half = part("whole", LOOSE), part("half", Decimal("0.9"), "0.5")
    traffic = {
        "whole": steady(600, 0.01, 1440),
        "half": Traffic(f"_x720 {pieces((57, 720))}", f"_x720 {pieces((3, 720))}"),
    }
    left = "sum by (slo) (round(slo:error_budget_remaining:ratio * 100))"
    checks = [Check("1440m", left, {'{slo="both"}': -12, '{slo="alone"}': 0})]
    slos = [composite("both", whole, half, days=1), an_slo("alone", requests("whole"), "0.99", days=1)]
    run(promtool, tmp_path, traffic, checks, interval="5m", options=PLAIN, slos=slos)


@pytest.mark.parametrize("policy", [NoTraffic.GOOD, NoTraffic.BAD])
def test_idle_minutes_of_slices_are_minutes(promtool: str, tmp_path: Path, policy: NoTraffic) -> None:
    of = TimeslicesIndicator(requests("idle"), 2 * MINUTE, Decimal("0.9"))
    sliced = composite("sliced", part("idle", LOOSE, of=of), part("idle-too", LOOSE, of=of))
    idle = replace(sliced, policy=DataPolicy(no_traffic=policy))
    expr = f'slo:sli_events:rolling5m{{event="{"bad" if policy is NoTraffic.BAD else "all"}"}}'
    checks = [Check("30m", f"sum by (slo) ({expr})", {'{slo="sliced"}': 5})]
    run(promtool, tmp_path, TRAFFIC, checks, interval="1m", options=PLAIN, slos=[idle])
    assert is_measured_in_time(idle.indicator)
    assert not is_measured_in_time(composite("rates", part("idle", LOOSE), part("idle-too", LOOSE)).indicator)


END = datetime(2026, 3, 5, tzinfo=UTC)
DAY = 1440


def test_a_past_is_computed_as_the_rules_would_have_it(tmp_path: Path) -> None:
    """A day on a real Prometheus, by tenant: errors of `x` are 1 % always, those of `y` 10 % in the last two hours."""
    late = np.arange(DAY) >= DAY - 120
    errors = {"x": np.full(DAY, 6.0), "y": np.where(late, 3.0, 0.0)}
    times = END.timestamp() - 60 * np.arange(DAY, dtype=np.float64)[::-1]
    columns = [
        (
            {"__name__": "http_requests_total", "instance": "a", "job": job, "tenant": tenant, "code": code},
            times,
            1000 + np.cumsum(each),
        )
        for job, whole in (("x", 600), ("y", 30))
        for tenant, bad in (("acme", errors[job]), ("zeta", 0 * errors[job]))
        for code, each in (("200", whole - bad), ("500", bad))
    ]
    tenth, fifth, two = Decimal("0.9"), Decimal("0.8"), 2 * MINUTE
    of = requests("x"), requests("y")
    any_bad = [TimeslicesIndicator(each, two, Decimal("0.95")) for each in of]
    shares = [TimeslicesIndicator(each, two, None) for each in of]
    slos = [
        composite("rates", part("x", tenth), part("y", fifth, "3"), days=1),
        composite("any", part("x", tenth, of=any_bad[0]), part("y", fifth, of=any_bad[1]), days=1),
        composite("shares", part("x", tenth, of=shares[0]), part("y", fifth, "2", shares[1]), days=1),
    ]
    slos = [replace(slo, groups=("tenant",)) for slo in slos]
    spent = {
        "rates": 0.01 / 0.1 + 3 * (0.1 / 12) / 0.2,  # 10 % of the requests of a twelfth of the day
        "any": (1 / 12) / 0.15,
        "shares": (0.01 + 2 * 0.1 / 12) / 0.15,
    }
    burning = {"rates": 0.01 / 0.1 + 3 * 0.1 / 0.2, "any": 1 / 0.15, "shares": (0.01 + 2 * 0.1) / 0.15}
    with servers.prometheus(tmp_path, out_of_order="14600d", block_duration="14600d", retention="14600d") as server:
        Backend(server.url).write(columns)
        backend = PrometheusBackend(server.url)
        with RemoteWriter(server.url) as writer:
            assert not cold_start.backfill(cold_start.plan(slos, END), backend, writer).empty
            cold_start.evaluate_once(cold_start.derived_rules(compile_rules(slos)), backend, writer, END)
        for name in spent:
            for tenant, factor in (("acme", 1), ("zeta", 0)):
                own = f'{{slo="{name}",tenant="{tenant}"}}'
                for series, truth in (
                    (names.burn_rate("1h"), burning[name]),
                    (names.BUDGET_REMAINING, 1 - factor * spent[name]),
                ):
                    (sample,) = backend.query(f"{series}{own}", END)
                    wanted = truth if series == names.BUDGET_REMAINING else factor * truth
                    assert sample.value == pytest.approx(wanted, abs=0.01), (series, own)
        backend.close()


weights = st.decimals("0.001", "1000", places=3)
objectives = st.decimals("0.5", "0.99999", places=5)


@given(st.lists(st.tuples(objectives, weights), min_size=2, max_size=5))
def test_the_budget_is_what_everything_bad_burns_at(given: list[tuple[Decimal, Decimal]]) -> None:
    parts = (CompositePart(str(n), requests("a"), objective, weight) for n, (objective, weight) in enumerate(given))
    indicator = CompositeIndicator(tuple(parts))
    objective, fastest = composite_objective(indicator), fastest_burn(indicator)
    assert 0 < objective < 1
    assert (1 - objective) * fastest <= Decimal("1.000001")
    if 2 < fastest < 1_000_000:
        assert (1 - objective) * fastest > Decimal("0.998")
