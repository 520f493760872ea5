"""Reports out of what was measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from controlplane.collection import collection_paused
from controlplane.model.delivery import Sheet
from exporters.dora.clusters.editions import Edition
from exporters.dora.clusters.placing import cluster_of
from exporters.dora.facts.folding import FACTS_VERSION, digest_of
from exporters.dora.facts.progress import events_behind, events_by_other_rules
from exporters.dora.measuring.daemon import count_by_other_rules
from exporters.dora.measuring.windows import Level, for_scopes, metrics
from exporters.dora.model import DoraMetrics, Scope
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.report.model import Behind, By, Report, Row

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

MOST_ROWS: Final = 1000
NO_SERVICE: Final = "(no service)"
MOST_DAYS: Final = 1000  # that are measured while somebody waits for a report
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)
_LEVELS: Final = {By.SERVICE: Level.SERVICE, By.TEAM: Level.TEAM, By.ENVIRONMENT: Level.ENVIRONMENT}
Pair = tuple[str, str]  # service, environment
ScopeKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is to say over [start, end). Empty names and no environments: any.

    `compares`: with the same length of time just before. `most`: rows; further ones are counted.
    """

    by: By
    start: datetime
    end: datetime
    service: str = ""
    team: str = ""
    environments: tuple[str, ...] = ()
    compares: bool = False
    edition: Edition | None = None
    most: int = MOST_ROWS


def make_report(log: "DeliveryLog", question: Question, policy: DeliveryPolicy, now: datetime) -> Report:
    """The answer, from one consistent reading. A service that is asked for by name has a row even without data."""
    with collection_paused():
        return _made(log, question, policy, now)


def _made(log: "DeliveryLog", question: Question, policy: DeliveryPolicy, now: datetime) -> Report:
    found = measured(log, question, policy, question.start, question.end)
    length = question.end - question.start
    earlier: Mapping[ScopeKey, DoraMetrics] = {}
    if question.compares:
        earlier = _by_scope(measured(log, question, policy, question.start - length, question.start))
    rows = [_row(each, earlier, question) for each in found]
    return Report(
        by=question.by,
        start=question.start,
        end=question.end,
        made_at=now,
        rows=tuple(rows[: question.most]),
        edition=question.edition,
        behind=behind(log, policy, now),
        time_zone=policy.time_zone,
        left_out=max(len(rows) - question.most, 0),
    )


def measured(
    log: "DeliveryLog", question: Question, policy: DeliveryPolicy, start: datetime, end: datetime
) -> list[DoraMetrics]:
    """Metrics over [start, end), by environment and name."""
    sheets = list(_sheets(log, question, policy, start, end))
    coverage = coverage_of(log, sorted({(each.key.service, each.key.environment) for each in sheets}))
    found = for_scopes(sheets, start, end, policy, [_LEVELS[question.by]], coverage)
    if question.by is By.SERVICE and question.service:
        known = {each.scope.environment for each in found}
        for environment in question.environments:
            if environment not in known:
                scope = Scope(environment, question.service, policy.team(question.service))
                own = coverage_of(log, [(question.service, environment)])
                found.append(metrics((), scope, start, end, policy, own))
    if question.by is By.SERVICE and not question.service:
        found += _resting(log, question, policy, (start, end), found)
        found.sort(key=lambda each: (each.scope.environment, each.scope.service))
    return found


def _resting(
    log: "DeliveryLog",
    question: Question,
    policy: DeliveryPolicy,
    window: tuple[datetime, datetime],
    found: Sequence[DoraMetrics],
) -> list[DoraMetrics]:
    """Services that were deployed before and had nothing in that time: their frequency is 0, which is no gap."""
    shown = {(each.scope.service, each.scope.environment) for each in found}
    others = (
        pair
        for pair in log.services()
        if pair not in shown
        and (not question.environments or pair[1] in question.environments)
        and (not question.team or policy.team(pair[0]) == question.team)
    )
    coverage = coverage_of(log, islice(others, question.most))
    scopes = (Scope(environment, service, policy.team(service)) for (service, environment) in sorted(coverage))
    rested = [scope for scope in scopes if coverage[scope.service, scope.environment] < window[1]]
    return [metrics((), scope, *window, policy, coverage) for scope in rested]


def behind(log: "DeliveryLog", policy: DeliveryPolicy, now: datetime) -> Behind:
    """What is in no number yet, or by the rules of a policy of before."""
    events = events_behind(log) + events_by_other_rules(log, FACTS_VERSION, digest_of(policy))
    return Behind(events, log.count_stale() + count_by_other_rules(log, policy, now, MOST_DAYS))


def coverage_of(log: "DeliveryLog", pairs: Iterable[Pair]) -> dict[Pair, datetime]:
    """When the first deployment was that is known of each; pairs without any are left out."""
    found = {}
    for service, environment in pairs:
        first = log.first_deployments_after(service, environment, _EPOCH, 1)
        if first:
            found[service, environment] = first[0].at
    return found


def _sheets(
    log: "DeliveryLog", question: Question, policy: DeliveryPolicy, start: datetime, end: datetime
) -> Iterable[Sheet]:
    first, last = start.astimezone(UTC).date(), (end - _INSTANT).astimezone(UTC).date()
    for environment in question.environments or ("",):
        for sheet in log.sheets(first, last, service=question.service, environment=environment):
            if not question.team or policy.team(sheet.key.service) == question.team:
                yield sheet


def _row(it: DoraMetrics, earlier: Mapping[ScopeKey, DoraMetrics], question: Question) -> Row:
    edition = question.edition
    if question.by is By.SERVICE and not it.scope.service:  # incidents that name none
        it = replace(it, scope=replace(it.scope, service=NO_SERVICE))
    return Row(it, earlier.get(_key(it)), cluster_of(it, edition) if edition else None)


def _by_scope(found: Sequence[DoraMetrics]) -> dict[ScopeKey, DoraMetrics]:
    return {_key(each): each for each in found}


def _key(it: DoraMetrics) -> ScopeKey:
    return it.scope.environment, it.scope.service, "" if it.scope.service else it.scope.team
