"""Reads every signal of a ladder: one question for each, one for each budget's sources, one for all brakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane.model.series import Sample
from controlplane.ports import MetricsBackend, Permanent, Transient
from finops.ladder.model import BRAKES_SELDOM, Ladder, Measure, Signal
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.signals.judging import brake_readings, reading
from finops.ladder.signals.queries import LadderQueries, range_queries
from finops.ladder.signals.scopes import NO_SCOPES, MoneyScope, Scopes

_LONGEST_REASON: Final = 300
_ANY: Final = "vector(1)"


@dataclass(frozen=True, slots=True)
class SignalReader:
    """Asks a metrics backend. Nothing is raised: a question that fails makes its own signal missing, with the reason.

    Give it a backend whose requests end within seconds. `scopes` says whose money budgets and unit costs count.
    """

    backend: MetricsBackend
    scopes: Scopes = NO_SCOPES

    def read(self, ladder: Ladder, now: datetime, savings: Mapping[int, Decimal]) -> Readings:
        """One sample. `savings` is what each tier in force saves, in money an hour."""
        asking = _Asking(self.backend, now)
        asked = range_queries(ladder, self.scopes)
        data = {scope: asking.ask(expr) for scope, expr in asked.data.items()}
        saving = savings[max(savings)] if savings else Decimal(0)
        # Users' own queries come last: one that is slow holds up no other.
        ordered = sorted(ladder.signals, key=lambda each: each.measure is Measure.QUERY)
        found = {each.name: self._signal(ladder, each, asking, asked, data, saving) for each in ordered}
        return Readings(now, found, _brakes(ladder, asking, asked.brakes), savings)

    def _signal(
        self,
        ladder: Ladder,
        signal: Signal,
        asking: "_Asking",
        asked: LadderQueries,
        data: Mapping[MoneyScope, "_Answer"],
        saving: Decimal,
    ) -> Reading:
        answer = asking.ask(asked.signals[signal.name])
        scope = self.scopes.of(ladder, signal)
        behind = data[scope] if scope is not None else ()
        if isinstance(answer, str):
            return Reading(Quality.MISSING, reason=answer)
        if isinstance(behind, str):
            return Reading(Quality.MISSING, reason=behind)
        return reading(signal, answer, asking.now, data=behind, currency=ladder.currency, saving=saving)


def _brakes(ladder: Ladder, asking: "_Asking", expr: str | None) -> dict[str, Reading]:
    if expr is None:
        return {}
    slos = {brake.slo for brake in ladder.brakes}
    answer = asking.ask(expr)
    if isinstance(answer, str):
        return {slo: Reading(Quality.MISSING, reason=answer) for slo in sorted(slos)}
    stale_after = ladder.brakes_usable_for - BRAKES_SELDOM
    return brake_readings(slos, answer, asking.now, stale_after)


_Answer = Sequence[Sample] | str
"""Samples, or in words why there are none."""


@dataclass(slots=True)
class _Asking:
    """Questions of one sample; once the backend is found to be down, no more of them are asked."""

    backend: MetricsBackend
    now: datetime
    down: str = field(default="", init=False)

    def ask(self, expr: str) -> _Answer:
        if self.down:
            return self.down
        try:
            return self.backend.query(expr, self.now)
        except Permanent as error:
            return _reason(error)
        except Transient as error:
            self._look(error)
            return _reason(error)

    def _look(self, error: Transient) -> None:
        """Whether it was this question or is all of them."""
        try:
            self.backend.query(_ANY, self.now)
        except (Permanent, Transient):
            self.down = _reason(error)


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words if len(words) <= _LONGEST_REASON else f"{words[: _LONGEST_REASON - 1]}…"
