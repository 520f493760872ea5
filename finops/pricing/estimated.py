"""The estimated ledger: `CostLedger` over what the rules have written, summed by Prometheus in hours or days.

A ledger entry says what the 5 minutes before it cost, so a piece of time holds the entries after its begin up to its
end. Prometheus' floats become Decimals here, and are exact from here on. Time without entries is missing, not free:
it gives no rows.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import ledger_entries
from controlplane.model.spend import DAY, HOUR, MONTH, TIME_DIMENSIONS, SpendQuestion, SpendRow, SpendTable
from controlplane.ports import MetricsBackend, Permanent
from finops.pricing.selectors import any_of

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ONLY_BILLED: Final = frozenset({"account", "sku", "category", "commitment"})
_AN_HOUR: Final = timedelta(hours=1)
_A_DAY: Final = timedelta(days=1)
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS_PER_QUERY: Final = 32  # each step reads a day, or an hour, of the ledger
_LONGEST: Final = timedelta(days=3660)
_RANGE: Final = "$RANGE"  # in templates of queries: how long a piece is

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Piece:
    start: datetime
    end: datetime


class EstimatedLedger:
    """What was spent by the estimate: corrected by the bill, or (`cost:estimate:ledger5m`) as it was before.

    It can split by hour, day, month and every label that prices keep; it knows one figure, and gives it as effective
    and as billed cost. `complete_until` is the newest entry within the question's time. Errors as in `MetricsBackend`.
    """

    def __init__(self, backend: MetricsBackend, series: str = names.SPEND_LEDGER) -> None:
        self._backend = backend
        self._series = series

    def spend(self, question: SpendQuestion) -> SpendTable:
        """Sums by the question's dimensions and currency, in the order of their keys."""
        labels = self._labels(question)
        chosen = _selector(question.where)
        grain = _AN_HOUR if HOUR in question.by else _A_DAY
        sums: dict[tuple[tuple[str | None, ...], str], Decimal] = {}
        last: _Piece | None = None
        for piece, found, value in self._sums(labels, chosen, _pieces(question, grain), grain):
            key = (tuple(_part(name, piece, found) for name in question.by), found.get(names.CURRENCY, ""))
            sums[key] = sums.get(key, Decimal(0)) + value
            last = piece if last is None or piece.end > last.end else last
        rows = (SpendRow(*each, sums[each], sums[each]) for each in _sorted(sums))
        return SpendTable(question.by, tuple(rows), self._complete_until(question, last))

    def coverage(self, start: datetime, end: datetime) -> Mapping[tuple[datetime, str, str], Decimal]:
        """The share of each whole UTC day for which there are entries, by day, service and currency."""
        by = (names.SERVICE, names.CURRENCY)
        counts: dict[tuple[datetime, str, str], Decimal] = {}
        question = SpendQuestion(start, end)
        whole = [piece for piece in _pieces(question, _A_DAY) if piece.end - piece.start == _A_DAY]
        template = f"max by ({', '.join(by)}) (count_over_time({self._series}[{_RANGE}]))"
        for piece, found, value in self._asked(template, whole, _A_DAY):
            share = min(value / ledger_entries(_A_DAY), Decimal(1))
            counts[piece.start, found.get(names.SERVICE, ""), found.get(names.CURRENCY, "")] = share
        return counts

    def _labels(self, question: SpendQuestion) -> tuple[str, ...]:
        for name in (*question.by, *question.where):
            if name in _ONLY_BILLED:
                raise Permanent(f"the estimated ledger cannot split by {name}: only the billed one knows it")
            if not _LABEL.fullmatch(name):
                raise Permanent(f"the estimated ledger has no `{name[:80]}`: it is not the name of a label")
        timed = [name for name in question.where if name in TIME_DIMENSIONS]
        if timed:
            raise Permanent(f"the estimated ledger takes no {timed[0]} as a condition: choose by start and end")
        if question.end - question.start > _LONGEST:
            raise Permanent(f"more than {_LONGEST.days:,} days in one question")
        return tuple(dict.fromkeys((*(n for n in question.by if n not in TIME_DIMENSIONS), names.CURRENCY)))

    def _sums(
        self, labels: Sequence[str], chosen: str, pieces: Sequence[_Piece], grain: timedelta
    ) -> Iterator[tuple[_Piece, Labels, Decimal]]:
        yield from self._asked(
            f"sum by ({', '.join(labels)}) (sum_over_time({self._series}{chosen}[{_RANGE}]))", pieces, grain
        )

    def _asked(
        self, template: str, pieces: Sequence[_Piece], grain: timedelta
    ) -> Iterator[tuple[_Piece, Labels, Decimal]]:
        """Values of an expression over each piece; runs of whole pieces in one request."""
        for run in _runs(pieces, grain):
            expr = template.replace(_RANGE, _range(run[0].end - run[0].start))
            by_end = {piece.end: piece for piece in run}
            for series in self._backend.query_range(expr, run[0].end, run[-1].end, grain):
                for at, value in series.points:
                    if math.isfinite(value) and at in by_end:
                        yield by_end[at], series.labels, Decimal(repr(value))

    def _complete_until(self, question: SpendQuestion, last: _Piece | None) -> datetime | None:
        if question.where:  # what was asked for may have ended before the ledger did
            pieces = _pieces(question, _A_DAY)
            found = self._sums((names.CURRENCY,), "", pieces, _A_DAY)
            last = max((piece for piece, _, _ in found), key=lambda piece: piece.end, default=None)
        if last is None:
            return None
        newest = f"max(max_over_time(timestamp({self._series})[{_range(last.end - last.start)}:5m]))"
        samples = [each for each in self._backend.query(newest, last.end) if math.isfinite(each.value)]
        return min(_EPOCH + timedelta(seconds=samples[0].value), question.end) if samples else last.end


def _selector(where: Mapping[str, tuple[str, ...]]) -> str:
    return f"{{{','.join(any_of(label, values) for label, values in where.items() if values)}}}" if where else ""


def _pieces(question: SpendQuestion, grain: timedelta) -> list[_Piece]:
    """The question's time in whole seconds, cut where hours or days begin.

    Prometheus answers in milliseconds: a piece that ends between two of them would not be found again.
    """
    pieces = []
    at, end = question.start.replace(microsecond=0), question.end.replace(microsecond=0)
    while at < end:
        following = min(at - (at - _EPOCH) % grain + grain, end)
        pieces.append(_Piece(at, following))
        at = following
    return pieces


def _runs(pieces: Sequence[_Piece], grain: timedelta) -> Iterator[list[_Piece]]:
    """Whole pieces that follow each other, and each part of one by itself."""
    run: list[_Piece] = []
    for piece in pieces:
        is_whole = piece.end - piece.start == grain
        if run and (not is_whole or len(run) == _STEPS_PER_QUERY or run[-1].end != piece.start):
            yield run
            run = []
        if is_whole:
            run.append(piece)
        else:
            yield [piece]
    if run:
        yield run


def _range(length: timedelta) -> str:
    """A range that does not reach the entry at its own begin, in Prometheus 2 (closed ranges) and 3."""
    return f"{length // _MILLISECOND - 1}ms"


def _part(name: str, piece: _Piece, labels: Labels) -> str | None:
    if name == HOUR:
        return f"{piece.start.replace(minute=0, second=0, microsecond=0):%Y-%m-%dT%H:%M:%SZ}"
    if name == DAY:
        return f"{piece.start:%Y-%m-%dT00:00:00Z}"
    if name == MONTH:
        return f"{piece.start:%Y-%m-01T00:00:00Z}"
    return labels.get(name) or None


def _sorted(sums: Mapping[tuple[tuple[str | None, ...], str], Decimal]) -> list[tuple[tuple[str | None, ...], str]]:
    """By key; what has none of a label after those that have."""
    return sorted(sums, key=lambda each: ([(part is None, part or "") for part in each[0]], each[1]))
