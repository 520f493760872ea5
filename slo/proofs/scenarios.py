"""What is fed to rules, and what is then true of their alerts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Final

from controlplane import conventions as names
from controlplane.model.alerting import Alerting, Urgency
from controlplane.model.slo import (
    SLO,
    Absent,
    BoolIndicator,
    NoTraffic,
)
from slo.passes.alerts import alert_name, severity
from slo.passes.traffic import is_measured_in_time
from slo.proofs.burning import Burning, Phase, in_minutes
from slo.proofs.courses import HEALTHY_MINUTES, Course, courses, fastest_of_interest
from slo.proofs.feeds import up_feed

MINUTE: Final = timedelta(minutes=1)
QUIET_MINUTES: Final = 120


@dataclass(frozen=True, slots=True)
class Statement:
    """At this minute the alert fires for all of these SLOs, or for none.

    `waited`: not that it fires, but in how many evaluations it had waited for its condition to last.
    """

    at: int
    alert: str
    severity: str
    slos: tuple[str, ...]
    waited: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is fed, and what is then true.

    `phases` say by SLO for how long, which share of events is bad and how much traffic there is. `gone_after`: the
    series end. `up_until`: the service is there for so long. `budget_events` as in a course.
    """

    title: str
    interval: timedelta
    phases: Mapping[str, Sequence[Phase]]
    statements: tuple[Statement, ...]
    budget_events: float = inf
    gone_after: int | None = None
    up_until: int | None = None

    @property
    def is_of_even_traffic(self) -> bool:
        """Whether gauges can show it, which have no traffic."""
        return self.budget_events == inf and all(
            phase.traffic == 1 for phases in self.phases.values() for phase in phases
        )


def scenarios(slos: Sequence[SLO]) -> Iterator[Scenario]:
    """Everything that is proven of SLOs whose tiers, window and greatest burn rate are the same."""
    first = slos[0]
    for course in courses(first.alerting, first.window.length, fastest(first)):
        yield _of_course(course, slos)
    for slo in slos:
        if slo.policy.no_traffic is NoTraffic.BAD:
            yield from _bad_idleness(slo)
    lenient = [slo for slo in slos if slo.policy.no_traffic is not NoTraffic.BAD]
    if lenient:
        yield _no_traffic(lenient)
    watched = [slo for slo in slos if not slo.policy.up]
    if watched:
        yield _gone(watched)
    for slo in slos:
        if up_feed(slo):
            yield from _gone_with_its_service(slo)


def fastest(slo: SLO) -> float:
    """The burn rate with all events bad, as far as courses ask for it."""
    return min(float(1 / slo.budget_ratio), fastest_of_interest(slo.alerting, slo.window.length))


def _of_course(course: Course, slos: Sequence[SLO]) -> Scenario:
    everybody = tuple(slo.name for slo in slos)
    alerting = slos[0].alerting
    statements = [
        Statement(each.at, *_alert(alerting, each.urgency), everybody if each.fires else ()) for each in course.expected
    ]
    statements += [
        Statement(each.at, *_alert(alerting, each.urgency), everybody, each.evaluations) for each in course.lasted
    ]
    phases = {slo.name: _shares(course.phases, slo) for slo in slos}
    return Scenario(course.title, course.interval, phases, tuple(statements), course.budget_events)


def _shares(phases: Sequence[Phase], slo: SLO) -> tuple[Phase, ...]:
    """Shares of bad events in place of burn rates."""
    return tuple(Phase(each.minutes, each.rate * float(slo.budget_ratio), each.traffic) for each in phases)


def _no_traffic(slos: Sequence[SLO]) -> Scenario:
    end = HEALTHY_MINUTES + QUIET_MINUTES
    phases = (Phase(HEALTHY_MINUTES, 0), Phase(QUIET_MINUTES, 0, 0))
    silent = tuple(Statement(end, *_alert(slos[0].alerting, urgency), ()) for urgency in Urgency)
    of_all = {slo.name: phases for slo in slos}
    return Scenario("no traffic for two hours alarms nobody", MINUTE, of_all, silent)


def _bad_idleness(slo: SLO) -> Iterator[Scenario]:
    """Time without traffic counts as an outage, so it is told of as one."""
    if isinstance(slo.indicator, BoolIndicator):
        return  # a gauge is never without traffic
    period = slo.window.length
    in_time = is_measured_in_time(slo.indicator)
    budget_events = in_minutes(period) * float(slo.budget_ratio) if in_time else inf
    outage = (Phase(HEALTHY_MINUTES, 0), Phase(QUIET_MINUTES, float(1 / slo.budget_ratio)))
    burning = Burning(outage, slo.alerting, period, budget_events=budget_events, step=1)
    clear = dict(burning.clear_moments(Urgency.PAGE, HEALTHY_MINUTES))
    end = HEALTHY_MINUTES + QUIET_MINUTES
    if end in clear:
        phases = {slo.name: (Phase(HEALTHY_MINUTES, 0), Phase(QUIET_MINUTES, 0, 0))}
        fires = Statement(end, *_alert(slo.alerting, Urgency.PAGE), (slo.name,) if clear[end] else ())
        yield Scenario("no traffic for two hours is an outage", MINUTE, phases, (fires,), budget_events)


def _gone(slos: Sequence[SLO]) -> Scenario:
    """The series vanish: told after as long as the policy says, where it says so."""
    told = tuple(slo.name for slo in slos if slo.policy.absent is not Absent.IGNORE)
    latest = max(slo.policy.absent_after for slo in slos) // MINUTE
    end = HEALTHY_MINUTES + latest + 15
    phases = {slo.name: (Phase(end, 0),) for slo in slos}
    before = Statement(HEALTHY_MINUTES, *_absence(slos[0]), ())
    after = Statement(end, *_absence(slos[0]), told)
    statements = (before, after, *_waited(slos, end)) if told else (before, after)
    return Scenario("series that vanish are told of", MINUTE, phases, statements, gone_after=HEALTHY_MINUTES)


def _waited(slos: Sequence[SLO], at: int) -> Iterator[Statement]:
    lengths = {slo.policy.absent_after for slo in slos}
    if len(lengths) == 1 and all(slo.policy.absent is not Absent.IGNORE and not slo.groups for slo in slos):
        everybody = tuple(slo.name for slo in slos)
        yield Statement(at, *_absence(slos[0]), everybody, in_minutes(lengths.pop()))


def _gone_with_its_service(slo: SLO) -> Iterator[Scenario]:
    """Series that vanish while the service is there are idle ones."""
    end = HEALTHY_MINUTES + slo.policy.absent_after // MINUTE + 15
    phases = {slo.name: (Phase(end, 0),)}
    told = () if slo.policy.absent is Absent.IGNORE else (slo.name,)
    for title, up_until, firing in (
        ("series that vanish while the service is up are idle", end, ()),
        ("series that vanish with their service are told of", HEALTHY_MINUTES, told),
    ):
        statement = Statement(end, *_absence(slo), firing)
        yield Scenario(title, MINUTE, phases, (statement,), gone_after=HEALTHY_MINUTES, up_until=up_until)


def _alert(alerting: Alerting, urgency: Urgency) -> tuple[str, str]:
    """The name and the severity of an urgency's alert."""
    text = alerting.text(urgency)
    return alert_name(text), severity(text, urgency)


def _absence(slo: SLO) -> tuple[str, str]:
    """The name and the severity of the alert that the series are gone."""
    text = slo.alerting.absence
    urgency = Urgency.PAGE if slo.policy.absent is Absent.PAGE else Urgency.TICKET
    return text.name or names.ALERT_NO_DATA, text.severity or severity(slo.alerting.text(urgency), urgency)
