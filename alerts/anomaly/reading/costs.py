"""Daily spend of a ledger as series on a grid of days."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.model import CostQuery
from controlplane import conventions as names
from controlplane.model.spend import DAY, Ledger, SpendQuestion, SpendTable
from controlplane.ports import CostLedger, Permanent

SETTLING_DAYS: Final[Mapping[Ledger, int]] = {Ledger.BILLED: 2, Ledger.ESTIMATED: 0}
"""The latest days that a ledger has are still being filled in (AWS: up to 24 h late, then restated)."""

_A_DAY: Final = timedelta(days=1)
Key = tuple[tuple[str | None, ...], str]
Days = dict[date, Decimal]


@dataclass(frozen=True, slots=True)
class DailyCosts:
    """`values` (series × days), effective cost in each series' own currency, NaN where nothing is known.

    Column i is `first` + i days, in UTC. Every series has the label `currency`, and one for each dimension that it was
    split by, empty where its rows have none. In the order of those.
    """

    labels: tuple[Mapping[str, str], ...]
    first: date
    values: NDArray[np.float64]

    @property
    def end(self) -> date:
        """The day after the last one."""
        days: int = self.values.shape[1]
        return self.first + days * _A_DAY


def daily_costs(
    ledger: CostLedger, query: CostQuery, until: date, days: int, most_series: int, *, settling: int | None = None
) -> DailyCosts:
    """The last `days` before `until` (not included), less the newest ones that are not complete.

    A day is complete when the ledger has data until its end, and for at least `settling` more days (by default those
    of the kind of ledger). Days without rows after a series' first are 0 in a billed ledger, which is complete, and
    missing in an estimated one, which has no rows where nothing was measured. Raises what the ledger raises, and
    `Permanent` when there are more than `most_series`.
    """
    first = until - days * _A_DAY
    question = SpendQuestion(_midnight(first), _midnight(until), by=(DAY, *query.by), where=dict(query.where or {}))
    table = ledger.spend(question)
    end = _complete_until(table, until, SETTLING_DAYS[query.ledger] if settling is None else settling)
    found = _sums(table, query.currency, end)
    if len(found) > most_series:
        raise Permanent(
            f"the costs have {len(found):,} series, more than the {most_series:,} that may be read: "
            "split by fewer dimensions, select fewer, or allow more"
        )
    keys = sorted(found, key=lambda key: ([(part is not None, part or "") for part in key[0]], key[1]))
    width = max((end - first) // _A_DAY, 0)
    values = np.full((len(keys), width), np.nan)
    for row, key in enumerate(keys):
        _write(values[row], found[key], first, filled=query.ledger is Ledger.BILLED)
    return DailyCosts(tuple(_labels(query.by, key) for key in keys), first, values)


def _complete_until(table: SpendTable, until: date, settling: int) -> date:
    if table.complete_until is None:
        return date.min
    complete: date = table.complete_until.astimezone(UTC).date()
    return min(until, complete - settling * _A_DAY)


def _sums(table: SpendTable, currency: str, end: date) -> dict[Key, Days]:
    """Of each series, its complete days; a day may have several rows."""
    found: dict[Key, Days] = defaultdict(lambda: defaultdict(Decimal))
    for row in table.rows:
        if row.key[0] is None or (currency and row.currency != currency):
            continue
        day = datetime.fromisoformat(row.key[0]).date()
        if day < end:
            found[row.key[1:], row.currency][day] += row.effective
    return found


def _write(values: NDArray[np.float64], days: Days, first: date, *, filled: bool) -> None:
    """One series' sums into its row; with `filled`, days without any cost nothing from its first on."""
    if filled:
        values[(min(days) - first) // _A_DAY :] = 0
    for day, amount in days.items():
        values[(day - first) // _A_DAY] = float(amount)


def _labels(by: Sequence[str], key: Key) -> Mapping[str, str]:
    return {**{name: part or "" for name, part in zip(by, key[0], strict=True)}, names.CURRENCY: key[1]}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
