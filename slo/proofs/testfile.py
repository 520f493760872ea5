"""Courses as promtool test files: one for what is told within hours, one for what takes days."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.model.alerting import Alerting, Urgency
from controlplane.model.generation import TextFile
from controlplane.model.rule import AlertingRule, RecordingRule, RuleFile
from controlplane.model.slo import SLO, Absent, NoTraffic
from controlplane.rulefile import scalar, to_yaml
from slo.passes.subject import Subject
from slo.proofs.courses import HEALTHY_MINUTES, Course, courses, fastest_of_interest
from slo.proofs.feeds import ROLLED_MINUTES, Feed, counts_scaled, raw_feeds, rolling_feeds

_MINUTE: Final = timedelta(minutes=1)
_QUIET_MINUTES: Final = 120
_RECORDED_FROM_RAW: Final = frozenset({names.ROLLING_EVENTS, names.PART_EVENTS, names.SLICE_BAD})
_CLEARLY: Final = 200  # times the fewest bad events that anybody is told of: the floor must not decide
_FRACTIONS: Final = 1024
_HEADER: Final = "# Written by `flyball compile`; run it with `flyball slo test` or `promtool test rules`.\n"


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A test file, and how many statements about alerts it makes."""

    file: TextFile
    statements: int


@dataclass(frozen=True, slots=True)
class _Statement:
    """At this minute the alert fires for all of these SLOs, or for none."""

    at: int
    alert: str
    severity: str
    firing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Scenario:
    """What is fed, and what is then true."""

    title: str
    shares: Mapping[str, Sequence[tuple[int, float]]]  # by SLO: minutes and the share of bad events
    gone_after: int | None
    has_traffic: bool
    statements: tuple[_Statement, ...]


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
    derived = {slo: rolling_feeds(slo) for slo in subject.slos if slo not in raw}
    calendars = [calendar_stand_in(file, stem, subject.period) for file in beside]
    found = [ProofFile(TextFile(file.name, to_yaml(file)), 0) for file in calendars]
    read = [file.name for file in calendars]
    found += _files(stem, [*read, f"{rules_folder}/{rules.name}"], raw)
    if derived:
        without = _without_raw(rules, stem)
        files = _files(f"{stem}-from-pair", [*read, without.name], derived)
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


def _without_raw(rules: RuleFile, stem: str) -> RuleFile:
    kept = [
        replace(
            group,
            rules=tuple(
                rule for rule in group.rules if isinstance(rule, AlertingRule) or rule.record not in _RECORDED_FROM_RAW
            ),
        )
        for group in rules.groups
    ]
    return RuleFile(f"{stem}-from-pair.rules.yaml", tuple(kept))


def _files(stem: str, rules: Sequence[str], fed: Mapping[SLO, tuple[Feed, ...]]) -> Iterator[ProofFile]:
    by_interval: dict[timedelta, list[tuple[_Scenario, dict[SLO, tuple[Feed, ...]]]]] = defaultdict(list)
    for members in _alike(fed):
        feeds = {slo: fed[slo] for slo in members}
        for interval, scenario in _scenarios(members):
            by_interval[interval].append((scenario, feeds))
    for interval, scenarios in sorted(by_interval.items()):
        listed = ", ".join(map(scalar, rules))
        text = f"{_HEADER}rule_files: [{listed}]\nevaluation_interval: {duration(interval)}\ntests:\n"
        text += "".join(line for each, feeds in scenarios for line in _test(each, feeds))
        count = sum(len(each.statements) for each, _ in scenarios)
        yield ProofFile(TextFile(f"{stem}-{duration(interval)}.test.yaml", text), count)


def _alike(slos: Iterable[SLO]) -> Iterator[tuple[SLO, ...]]:
    """SLOs of which the same is true at the same time."""
    found: dict[tuple[Alerting, timedelta, float], list[SLO]] = defaultdict(list)
    for slo in slos:
        found[slo.alerting, slo.window.length, _fastest(slo)].append(slo)
    return map(tuple, found.values())


def _fastest(slo: SLO) -> float:
    return min(float(1 / slo.budget_ratio), fastest_of_interest(slo.alerting, slo.window.length))


def _scenarios(slos: Sequence[SLO]) -> Iterator[tuple[timedelta, _Scenario]]:
    first = slos[0]
    for course in courses(first.alerting, first.window.length, _fastest(first)):
        yield course.interval, _of_course(course, slos)
    healthy = {slo.name: ((HEALTHY_MINUTES + _QUIET_MINUTES, 0.0),) for slo in slos}
    end = HEALTHY_MINUTES + _QUIET_MINUTES
    silent = tuple(_Statement(end, *_alert(first, urgency), ()) for urgency in Urgency)
    if all(slo.policy.no_traffic is not NoTraffic.BAD for slo in slos):
        yield _MINUTE, _Scenario("no traffic for two hours alarms nobody", healthy, None, False, silent)
    watched = [slo for slo in slos if not slo.policy.up]
    if watched:
        yield _MINUTE, _gone(watched)


def _of_course(course: Course, slos: Sequence[SLO]) -> _Scenario:
    shares = {
        slo.name: tuple((length, rate * float(slo.budget_ratio)) for length, rate in course.rates) for slo in slos
    }
    everybody = tuple(slo.name for slo in slos)
    statements = tuple(
        _Statement(each.at, *_alert(slos[0], each.urgency), everybody if each.fires else ()) for each in course.expected
    )
    return _Scenario(course.title, shares, None, True, statements)


def _gone(slos: Sequence[SLO]) -> _Scenario:
    """The series vanish: told after as long as the policy says, where it says so."""
    longest = max(slo.policy.absent_after for slo in slos) // _MINUTE
    told = tuple(slo.name for slo in slos if slo.policy.absent is not Absent.IGNORE)
    end = HEALTHY_MINUTES + longest + 30
    shares = {slo.name: ((end, 0.0),) for slo in slos}
    before = _Statement(HEALTHY_MINUTES, names.ALERT_NO_DATA, "", ())
    after = _Statement(end, names.ALERT_NO_DATA, "", told)
    return _Scenario("series that vanish are told of", shares, HEALTHY_MINUTES, True, (before, after))


def _alert(slo: SLO, urgency: Urgency) -> tuple[str, str]:
    """The name and the severity of an urgency's alert."""
    text = slo.alerting.text(urgency)
    return text.name or names.ALERT_BURN, text.severity or urgency.value


def _test(scenario: _Scenario, fed: Mapping[SLO, tuple[Feed, ...]]) -> Iterator[str]:
    yield f"- name: {scalar(scenario.title)}\n  interval: 1m\n  input_series:\n"
    for slo, feeds in fed.items():
        if slo.name not in scenario.shares:
            continue
        for feed in feeds:
            values = _values(feed, scenario, slo)
            yield f"  - series: {scalar(feed.series)}\n    values: '{values}'\n"
    yield "  promql_expr_test:\n"
    for statement in scenario.statements:
        severity = f",{names.SEVERITY}={json.dumps(statement.severity)}" if statement.severity else ""
        alerts = f'ALERTS{{alertname={json.dumps(statement.alert)}{severity},alertstate="firing"}}'
        yield f"  - expr: {scalar(f'max by ({names.SLO}) ({alerts})')}\n    eval_time: {statement.at}m\n"
        yield "    exp_samples:" + ("" if statement.firing else " []") + "\n"
        for slo_name in statement.firing:
            yield f"    - labels: '{{{names.SLO}=\"{slo_name}\"}}'\n      value: 1\n"


def _values(feed: Feed, scenario: _Scenario, slo: SLO) -> str:
    """The course of one series in promtool's notation, a value a minute."""
    scale = _events_a_minute(slo) if feed.is_counter or feed.rolled else 1.0
    pieces = [
        (minutes, _exact(scale * (feed.healthy + feed.bad * share))) for minutes, share in scenario.shares[slo.name]
    ]
    if scenario.gone_after is not None:
        pieces = [(min(minutes, scenario.gone_after), value) for minutes, value in pieces]
    if not scenario.has_traffic and (feed.is_counter or feed.rolled):
        pieces = [(HEALTHY_MINUTES, pieces[0][1]), (_QUIET_MINUTES, 0.0)]
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


def _events_a_minute(slo: SLO) -> float:
    """Traffic so dense that no floor of events decides."""
    least = min((tier.budget_share for tier in slo.alerting.tiers), default=Decimal(1))
    budget_a_minute_of_traffic = Decimal(slo.window.length // _MINUTE) * slo.budget_ratio * least
    return float(max(Decimal(1000), slo.alerting.fewest_bad_events * _CLEARLY / budget_a_minute_of_traffic))


def _number(value: float) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _exact(value: float) -> float:
    """A number whose sums a float holds exactly: a counter that is off in its last digit would seem to start anew."""
    return max(round(value * _FRACTIONS), 0) / _FRACTIONS
