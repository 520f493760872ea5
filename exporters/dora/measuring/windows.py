"""The metrics of any stretch of time, for every service, team and environment at once."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from itertools import groupby

from controlplane.model.delivery import Sheet
from exporters.dora.measuring.loading import Columns, Place, load, together
from exporters.dora.measuring.measurer import Coverage, Measurer
from exporters.dora.model import DoraMetrics, Scope
from exporters.dora.policy.model import DeliveryPolicy


class Level(Enum):
    """What a scope comprises."""

    SERVICE = "service"
    TEAM = "team"
    ENVIRONMENT = "environment"


def for_scopes(
    sheets: Iterable[Sheet],
    start: datetime,
    end: datetime,
    policy: DeliveryPolicy,
    levels: Sequence[Level] = tuple(Level),
    coverage: Coverage | None = None,
) -> list[DoraMetrics]:
    """Of every scope of these levels with anything in [start, end), sorted by level, environment and name.

    A team is that of the policy; services without one are in no team. Weeks are those of the policy's time zone.
    """
    return measured(load(sheets, start, end, policy), policy, levels, coverage)


def metrics(
    sheets: Iterable[Sheet],
    scope: Scope,
    start: datetime,
    end: datetime,
    policy: DeliveryPolicy,
    coverage: Coverage | None = None,
) -> DoraMetrics:
    """Of one scope; without anything in [start, end) every value is absent, and a frequency zero if it was known."""
    level = Level.SERVICE if scope.service else Level.TEAM if scope.team else Level.ENVIRONMENT
    chosen = (sheet for sheet in sheets if _is_in(sheet, scope, policy))
    columns = load(chosen, start, end, policy)
    found = [one for one in measured(columns, policy, [level], coverage) if _same(one.scope, scope)]
    return found[0] if found else Measurer(columns, policy, coverage or {}).of(_nowhere(scope), scope, ())


def measured(
    columns: Columns, policy: DeliveryPolicy, levels: Sequence[Level] = tuple(Level), coverage: Coverage | None = None
) -> list[DoraMetrics]:
    """Of columns that are loaded."""
    measurer = Measurer(columns, policy, coverage or {})
    return [
        measurer.of(together(group), scope, group)
        for level in levels
        for scope, group in _scopes(columns.places, level)
    ]


def _scopes(places: Sequence[Place], level: Level) -> Iterator[tuple[Scope, Sequence[Place]]]:
    if level is Level.ENVIRONMENT:
        for environment, group in groupby(places, key=lambda one: one.environment):
            yield Scope(environment), tuple(group)
        return
    if level is Level.TEAM:
        for (environment, team), group in groupby(places, key=lambda one: (one.environment, one.team)):
            if team:
                yield Scope(environment, team=team), tuple(group)
        return
    for place in sorted(places, key=lambda one: (one.environment, one.service)):
        yield Scope(place.environment, service=place.service, team=place.team), (place,)


def _is_in(sheet: Sheet, scope: Scope, policy: DeliveryPolicy) -> bool:
    key = sheet.key
    if key.environment != scope.environment or (scope.service and key.service != scope.service):
        return False
    return not scope.team or policy.team(key.service) == scope.team


def _same(one: Scope, other: Scope) -> bool:
    return (one.environment, one.service) == (other.environment, other.service)


def _nowhere(scope: Scope) -> Place:
    return Place(scope.environment, scope.team, scope.service, slice(0, 0), slice(0, 0), slice(0, 0))
