"""Courses as promtool test files: one for what is told within hours, one for what takes days."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from math import inf
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.model.alerting import Alerting
from controlplane.model.generation import TextFile
from controlplane.model.rule import AlertingRule, RecordingRule, RuleFile
from controlplane.model.slo import SLO, BoolIndicator
from controlplane.rulefile import scalar, to_yaml
from slo.passes.subject import Subject
from slo.proofs.courses import HEALTHY_MINUTES
from slo.proofs.feeds import ROLLED_MINUTES, Feed, counts_scaled, pair_feeds, pair_name, raw_feeds, up_feed
from slo.proofs.scenarios import MINUTE, Scenario, Statement, fastest, scenarios

_MEASURED: Final = frozenset({names.PART_EVENTS, names.SLICE_BAD})
_CLEARLY: Final = 200  # times the fewest bad events that anybody is told of: the floor must not decide
_FRACTIONS: Final = 1024
_DENSE: Final = 1000  # numbers from here on are exact enough in fewer digits
_DIGITS: Final = 20  # tell all fractions apart
_HEADER: Final = "# Written by `flyball compile`; run it with `flyball slo test` or `promtool test rules`.\n"


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A test file, and how many statements about alerts it makes."""

    file: TextFile
    statements: int


def proof_of(
    subject: Subject, rules: RuleFile, *, rules_folder: str = "../rules", beside: Sequence[RuleFile] = ()
) -> tuple[ProofFile, ...]:
    """The tests of one rule file, which stands in `rules_folder` as seen from them; `beside` are calendars it reads.

    SLOs whose own series cannot be told from their queries are fed through the rolling pair, with a copy of the rules
    that does not record it.
    """
    stem = rules.name.removesuffix(".yaml")
    fed = {slo: raw_feeds(slo) for slo in subject.slos if not counts_scaled(slo)}
    raw = {slo: feeds for slo, feeds in fed.items() if feeds}
    derived = {slo: pair_feeds(slo) for slo in subject.slos if slo not in raw}
    gauges = {slo: pair_feeds(slo) for slo, feeds in raw.items() if not any(feed.is_counter for feed in feeds)}
    calendars = [calendar_stand_in(file, stem, subject.period) for file in beside]
    found = [ProofFile(TextFile(file.name, to_yaml(file)), 0) for file in calendars]
    read = [file.name for file in calendars]
    found += _files(stem, [*read, f"{rules_folder}/{rules.name}"], raw)
    if derived or gauges:
        pair = pair_name(subject.slos[0])
        without = _without_raw(rules, stem, pair)
        files = _files(f"{stem}-from-pair", [*read, without.name], derived | gauges, also_raw=gauges)
        found += [ProofFile(TextFile(without.name, to_yaml(without)), 0), *files]
    return tuple(found)


def calendar_stand_in(calendars: RuleFile, stem: str, period: timedelta) -> RuleFile:
    """The same series for a period of its nominal length that begins in 1970, as promtool's time does.

    Tables of a decade take promtool, which reads them again at every step, many minutes.
    """
    length = period // timedelta(seconds=1)
    of_1970 = {names.CALENDAR_START: 0, names.CALENDAR_END: length, names.CALENDAR_NEXT_END: 2 * length}
    groups = [
        replace(
            group,
            rules=tuple(
                replace(rule, expr=f"vector({of_1970[rule.record]})")
                for rule in group.rules
                if isinstance(rule, RecordingRule) and rule.record in of_1970
            ),
        )
        for group in calendars.groups
    ]
    return RuleFile(f"{stem}-calendar.rules.yaml", tuple(groups))


def _without_raw(rules: RuleFile, stem: str, pair: str) -> RuleFile:
    """The rules that read the pair, without those that measure it."""
    measured = _MEASURED | {pair}
    kept = [
        replace(
            group,
            rules=tuple(rule for rule in group.rules if isinstance(rule, AlertingRule) or rule.record not in measured),
        )
        for group in rules.groups
    ]
    return RuleFile(f"{stem}-from-pair.rules.yaml", tuple(kept))


def _files(
    stem: str, rules: Sequence[str], fed: Mapping[SLO, tuple[Feed, ...]], *, also_raw: Collection[SLO] = ()
) -> Iterator[ProofFile]:
    """The files for each interval. Gauges show even traffic only; what they can't is told of the SLOs in `also_raw`."""
    by_interval: dict[timedelta, list[tuple[Scenario, dict[SLO, tuple[Feed, ...]]]]] = defaultdict(list)
    for members in _alike(fed):
        feeds = {slo: fed[slo] for slo in members}
        are_gauges = not any(feed.is_counter or feed.rolled for feed in fed[members[0]])
        for scenario in scenarios(members):
            if not (are_gauges and not scenario.is_of_even_traffic) and not (
                members[0] in also_raw and scenario.is_of_even_traffic
            ):
                by_interval[scenario.interval].append((scenario, feeds))
    for interval, found in sorted(by_interval.items()):
        listed = ", ".join(map(scalar, rules))
        text = f"{_HEADER}rule_files: [{listed}]\nevaluation_interval: {duration(interval)}\ntests:\n"
        text += "".join(line for scenario, feeds in found for line in _test(scenario, feeds))
        count = sum(len(scenario.statements) for scenario, _ in found)
        yield ProofFile(TextFile(f"{stem}-{duration(interval)}.test.yaml", text), count)


def _alike(slos: Iterable[SLO]) -> Iterator[tuple[SLO, ...]]:
    """SLOs of which the same is true at the same time."""
    found: dict[tuple[Alerting, timedelta, float, bool], list[SLO]] = defaultdict(list)
    for slo in slos:
        found[slo.alerting, slo.window.length, fastest(slo), isinstance(slo.indicator, BoolIndicator)].append(slo)
    return map(tuple, found.values())


def _test(scenario: Scenario, fed: Mapping[SLO, tuple[Feed, ...]]) -> Iterator[str]:
    yield f"- name: {scalar(scenario.title)}\n  interval: 1m\n  input_series:\n"
    for slo, feeds in fed.items():
        if slo.name not in scenario.phases:
            continue
        for feed in feeds:
            yield _series(feed, series_values(feed, scenario, slo))
        up = up_feed(slo)
        if up and up.series not in {feed.series for feed in feeds}:
            # Not from the beginning, when there are no rates yet: that would be an idle time.
            lasts = (scenario.up_until or _length(scenario, slo)) - ROLLED_MINUTES
            yield _series(up, f"_x{ROLLED_MINUTES} 1x{lasts - 1}")
    yield "  promql_expr_test:\n"
    for statement in scenario.statements:
        yield from _stated(statement)


def _series(feed: Feed, values: str) -> str:
    return f"  - series: {scalar(feed.series)}\n    values: '{values}'\n"


def _length(scenario: Scenario, slo: SLO) -> int:
    return sum(phase.minutes for phase in scenario.phases[slo.name])


def _stated(statement: Statement) -> Iterator[str]:
    state = "pending" if statement.waited else "firing"
    alerts = (
        f"ALERTS{{alertname={json.dumps(statement.alert)},{names.SEVERITY}={json.dumps(statement.severity)}"
        f',alertstate="{state}"}}'
    )
    if statement.waited:
        # Not the very beginning, when nothing is recorded yet.
        alerts = f"count_over_time({alerts}[{statement.at - HEALTHY_MINUTES // 2}m])"
    yield f"  - expr: {scalar(f'max by ({names.SLO}) ({alerts})')}\n    eval_time: {statement.at}m\n"
    yield "    exp_samples:" + ("\n" if statement.slos else " []\n")
    for slo_name in statement.slos:
        yield f"    - labels: '{{{names.SLO}=\"{slo_name}\"}}'\n      value: {statement.waited or 1}\n"


def series_values(feed: Feed, scenario: Scenario, slo: SLO) -> str:
    """The course of one series in promtool's notation, a value a minute."""
    has_events = feed.is_counter or feed.rolled
    scale = _events_a_minute(slo, scenario.budget_events) if has_events else 1.0
    pieces = [
        (phase.minutes, _exact((phase.traffic if has_events else 1) * scale * (feed.healthy + feed.bad * phase.rate)))
        for phase in scenario.phases[slo.name]
    ]
    if scenario.gone_after is not None:
        pieces = [(min(minutes, scenario.gone_after), value) for minutes, value in pieces]
    if feed.rolled:
        return _rolled(pieces)
    return _counted(pieces) if feed.is_counter else _shown(pieces)


def _counted(pieces: Sequence[tuple[int, float]]) -> str:
    starts = accumulate((minutes * value for minutes, value in pieces), initial=0.0)
    return " ".join(
        f"{_number(start + value)}+{_number(value)}x{minutes - 1}"
        for start, (minutes, value) in zip(starts, pieces, strict=False)
    )


def _shown(pieces: Sequence[tuple[int, float]]) -> str:
    return " ".join(f"{_number(value)}+0x{minutes - 1}" for minutes, value in pieces)


def _rolled(pieces: Sequence[tuple[int, float]]) -> str:
    """Sums of 5 minutes: after each change they take 5 minutes to follow."""
    before = pieces[0][1]
    shown: list[tuple[int, float]] = []
    for minutes, value in pieces:
        ramp = min(ROLLED_MINUTES, minutes) if value != before else 0
        shown += [(1, step * value + (ROLLED_MINUTES - step) * before) for step in range(1, ramp + 1)]
        shown += [(minutes - ramp, ROLLED_MINUTES * value)] if minutes > ramp else []
        before = value
    return _shown(shown)


def _events_a_minute(slo: SLO, budget_events: float) -> float:
    """Traffic whose budget is so many events; where it is infinite, so dense that no floor of events decides."""
    allowed = Decimal(slo.window.length // MINUTE) * slo.budget_ratio
    if budget_events != inf:
        return budget_events / float(allowed)
    least = min((tier.budget_share for tier in slo.alerting.tiers), default=Decimal(1))
    return float(max(Decimal(1000), slo.alerting.fewest_bad_events * _CLEARLY / (allowed * least)))


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".")


def _exact(value: float) -> float:
    """A number whose sums a float holds exactly: a counter that is off in its last digit would seem to start anew."""
    parts = _FRACTIONS if value >= _DENSE else _FRACTIONS**2
    return max(round(value * parts), 0) / parts
