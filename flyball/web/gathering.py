"""Everything that pages show, gathered from the process, Prometheus and the database in bounded time."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.alert import StoredAlert
from controlplane.model.slo import SLO
from controlplane.ports import Permanent, Transient
from controlplane.problems import Problem, has_errors, in_order
from flyball.web.remembered import Reading, Remembered
from flyball.web.state import ConsoleState
from slo.status import (
    NOT_MEASURED,
    Deployment,
    Measurement,
    Points,
    SLOHistory,
    fetch_budget_histories,
    fetch_burn_rates,
    fetch_history,
    fetch_measurements,
    grouping_of,
)
from slo.views import SLORow, slo_row, slo_rows

SPARK_LENGTH: Final = timedelta(days=30)
SPARK_STEP: Final = timedelta(hours=12)
RECENT_ALERTS: Final = 500
MOST_DEPLOYMENTS: Final = 100  # of one chart
SAME_DEPLOYMENT: Final = timedelta(hours=1)  # told by the pipeline, and seen in `build_info`
Measured = dict[str, Measurement]


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerts received; `failure` says why there are none to show."""

    firing: tuple[StoredAlert, ...] = ()
    recent: tuple[StoredAlert, ...] = ()
    failure: str = ""

    def severities(self) -> dict[str, tuple[str, ...]]:
        """Of the firing ones, by SLO."""
        found: dict[str, tuple[str, ...]] = {}
        for stored in self.firing:
            slo, severity = stored.alert.labels.get(names.SLO, ""), stored.alert.labels.get(names.SEVERITY, "")
            found[slo] = (*found.get(slo, ()), severity)
        return found


@dataclass(frozen=True, slots=True)
class PastOfSLO:
    """What the page of one SLO shows beyond its row."""

    history: SLOHistory
    burn: dict[str, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """What every page shows: the time, what is wrong, what fires, and how fresh the measurements are."""

    now: datetime
    slos: Sequence[SLO]
    problems: Sequence[Problem]
    alerts: Alerts
    measured: Reading[Measured]

    @property
    def age(self) -> timedelta | None:
        """Of the measurements shown; None when there are none."""
        return None if self.measured.taken_at is None else max(self.now - self.measured.taken_at, timedelta(0))

    @property
    def broken(self) -> bool:
        """Whether the files as they stand cannot be applied."""
        return has_errors(self.problems)

    def rows(self) -> list[SLORow]:
        """All SLOs, worst first, without their histories."""
        return slo_rows(self.slos, self.measured.value or {}, firing=self.alerts.severities())

    def row(self, slo: SLO) -> SLORow:
        """One of them."""
        measured = (self.measured.value or {}).get(slo.name, NOT_MEASURED)
        return slo_row(slo, measured, firing=self.alerts.severities().get(slo.name, ()))


class Gathering:
    """Asks, and remembers for a few seconds. Safe to share between threads."""

    def __init__(self, state: ConsoleState) -> None:
        self._state = state
        self._measured: Remembered[Measured] = Remembered(state.clock)
        self._sparks: Remembered[dict[str, Points]] = Remembered(state.clock, fresh_for=timedelta(minutes=5))
        self._pasts: Remembered[PastOfSLO] = Remembered(state.clock)

    def scene(self) -> Scene:
        """The present."""
        metrics, slos = self._state.metrics, self._state.slos()
        groups = grouping_of(slos)
        return Scene(
            now=self._state.clock.now(),
            slos=slos,
            problems=in_order(self._state.problems()),
            alerts=self.alerts(),
            measured=self._measured.get(
                tuple(sorted(groups.items())), lambda now: fetch_measurements(metrics, now, groups)
            ),
        )

    def with_histories(self, rows: Sequence[SLORow]) -> list[SLORow]:
        """The rows with their past 30 days, in two queries for all of them; without, when that fails."""
        wanted = tuple(sorted((row.slo for row in rows), key=lambda slo: slo.name))

        def ask(now: datetime) -> dict[str, Points]:
            return fetch_budget_histories(
                self._state.metrics, wanted, now=now, length=SPARK_LENGTH, step=SPARK_STEP
            )  # fmt: skip

        key = tuple((slo.name, slo.objective, slo.window) for slo in wanted)
        found = self._sparks.get(key, ask).value or {}
        return [dataclasses.replace(row, history=found.get(row.slo.name, ())) for row in rows]

    def past(
        self, slo: SLO, length: timedelta, step: timedelta, group: Mapping[str, str] | None = None
    ) -> Reading[PastOfSLO]:
        """The past of one SLO, or of one `group` of it."""
        metrics = self._state.metrics

        def ask(now: datetime) -> PastOfSLO:
            history = fetch_history(metrics, slo, now=now, length=length, step=step, group=group)
            history = dataclasses.replace(history, deployments=self._deployments(slo.service, history))
            return PastOfSLO(history, fetch_burn_rates(metrics, slo.name, now, group))

        chosen = tuple(sorted((group or {}).items()))
        return self._pasts.get((slo.name, slo.service, slo.objective, slo.window, length, chosen), ask)

    def _deployments(self, service: str, history: SLOHistory) -> tuple[Deployment, ...]:
        """Those seen in metrics, and those told of by events: each once, in order."""
        try:
            with self._state.store.transaction(read_only=True) as transaction:
                told = transaction.delivery.deployments_between(
                    history.start, history.end, service=service, limit=MOST_DEPLOYMENTS
                )
        except (Transient, Permanent):
            return history.deployments
        return joined_deployments([Deployment(each.version, each.at) for each in told], history.deployments)

    def alerts(self) -> Alerts:
        """Those received, from the database; its failure is theirs."""
        try:
            with self._state.store.transaction(read_only=True) as transaction:
                return Alerts(tuple(transaction.alerts.firing()), tuple(transaction.alerts.recent(RECENT_ALERTS)))
        except (Transient, Permanent) as error:
            return Alerts(failure=str(error))


def joined_deployments(told: Sequence[Deployment], seen: Sequence[Deployment]) -> tuple[Deployment, ...]:
    """All of them in order; what was told of and seen within an hour stands once, at the time that was told."""
    new = [each for each in seen if not any(_is_same(each, other) for other in told)]
    return tuple(sorted((*told, *new), key=lambda each: each.at))


def _is_same(deployment: Deployment, other: Deployment) -> bool:
    return deployment.version == other.version and abs(deployment.at - other.at) <= SAME_DEPLOYMENT
