"""What fits are given: the past of some rows, lags to comparable steps, and which steps are not learnt from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from alerts.anomaly.calendars.masks import fitted
from alerts.anomaly.calendars.model import Calendars
from alerts.anomaly.detector.model import Booleans, Floats, Grid, Panel
from alerts.anomaly.feedback.learning import learnt
from alerts.anomaly.scoring.bank import Given, Rows
from alerts.anomaly.scoring.chunk import Mask
from alerts.anomaly.scoring.phase_table import PhaseTable, phase_table
from alerts.anomaly.scoring.steps import index_from, time_of
from controlplane.model.anomaly import Feedback

SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Rulings:
    """What is not learnt from, and which days are compared with which: of one cycle.

    `feedback` is what people said; `learning` the same with words on what was open reaching to its end, for fits.
    """

    zone: ZoneInfo
    calendars: Calendars
    feedback: tuple[Feedback, ...] = ()
    learning: tuple[Feedback, ...] | None = None

    @property
    def _spoken(self) -> tuple[Feedback, ...]:
        return self.feedback if self.learning is None else self.learning

    def learnt(self, grid: Grid, keys: Sequence[str], labels: Sequence[Mapping[str, str]]) -> Booleans | None:
        """False where a step is not learnt from: (1, T) or (S, T); None where all are."""
        services = [each.get(SERVICE, "") for each in labels]
        return learnt(self._spoken, keys, grid, fitted(self.calendars, grid, services))

    def masks(self, grid: Grid, keys: Sequence[str], labels: Sequence[Mapping[str, str]]) -> frozenset[Mask]:
        """The reasons for which these series' steps on the grid are not learnt from, or are all the same."""
        step = grid.step
        start, end = time_of(grid.first, step), time_of(grid.first + grid.count, step)
        known, services = {"", *keys}, {each.get(SERVICE, "") for each in labels}
        said = {
            Mask(index_from(each.end, step), each.id, is_said=True)
            for each in self._spoken
            if each.series in known and each.start < end and each.end > start
        }
        deployed = {
            Mask(index_from(each.end, step), f"{each.service}@{each.start.isoformat()}")
            for each in self.calendars.deployments
            if (each.is_of_all or each.service in services) and each.start < end and each.end > start
        }
        local = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        days = {
            Mask(index_from(datetime.combine(day + timedelta(days=1), time(), self.zone), step), day.isoformat())
            for day in self.calendars.days
            if local[0] <= day <= local[1]
        }
        return frozenset(said | deployed | {each for each in days if each.end > grid.first})


@dataclass(frozen=True, slots=True)
class Past:
    """Series' values on a grid: `values` (R, T), or what gives those of some rows; `ahead` steps are scored later."""

    grid: Grid
    keys: tuple[str, ...]
    labels: tuple[Mapping[str, str], ...]
    rulings: Rulings
    table: PhaseTable
    ahead: int

    def given(self, values: Floats, rows: Rows, index: int) -> Given:
        """Before step `index`; `values` are those of `rows` on the whole grid."""
        count = index - self.grid.first
        before = Grid(self.grid.first, self.grid.step, count)
        keys = [self.keys[row] for row in rows]
        labels = [self.labels[row] for row in rows]
        panel = Panel(
            values=np.ascontiguousarray(values[:, :count]),
            grid=before,
            phases=self.table.part(Grid(before.first, before.step, count + self.ahead)),
            fitted=self.rulings.learnt(before, keys, labels),
        )
        return Given(panel, self.rulings.masks(before, keys, labels))

    def learnt_at(self, index: int) -> Booleans | None:
        """Of every row: whether step `index` is learnt from; None where all are."""
        mask = self.rulings.learnt(Grid(index, self.grid.step, 1), self.keys, self.labels)
        return None if mask is None else np.broadcast_to(mask[:, 0], len(self.keys))


def past_of(
    grid: Grid,
    keys: tuple[str, ...],
    labels: tuple[Mapping[str, str], ...],
    rulings: Rulings,
    ahead: int,
    known: PhaseTable | None,
) -> Past:
    """With lags for all of the grid and what comes after it."""
    special: Mapping[date, int | None] = rulings.calendars.special
    reach = Grid(grid.first, grid.step, grid.count + ahead)
    return Past(grid, keys, labels, rulings, phase_table(reach, rulings.zone, special, known), ahead)
