"""Gives prices, budgets and unit costs that are new the past that their rules would have recorded.

Entries of a ledger add up, so one that is there already must never get a neighbour that counts the same minutes. An
object is given only what lies before its own first entry, up to that entry's 5-minute step: the first entry counts the
5 minutes up to it, the last one that is written ends before those begin. Rules that begin while it is written do no
harm either, since what they enter first lies after `now`. Where nothing is missing, nothing is written.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from controlplane import conventions as names
from controlplane.adapters.prometheus_storage import StorageFacts
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, columnar
from controlplane.burn_rate import LEDGER_INTERVAL, duration
from controlplane.model.budget import Budget
from controlplane.model.rule import RecordingRule
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend, Permanent
from exporters.unit_cost.model import UnitCost
from finops.pricing import expressions
from finops.pricing.model import PriceMap
from finops.pricing.selectors import any_of, quoted
from flyball.money.compiling import money_rule_files
from flyball.money.declared import MoneyDeclared
from flyball.money.discovered import DiscoveredModels
from flyball.money.past import write_past
from slo.compiler import CompileOptions

LONGEST: Final = timedelta(days=400)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
# What is held in memory at once of objects with many series. A budget has four, and its course reads all of its window.
_PIECE: Final = timedelta(days=7)
_SLACK: Final = timedelta(minutes=15)  # samples grow older while they are computed
_SAMPLES_PER_REQUEST: Final = 200_000
_ASKED_SHARE: Final = 0.2  # of the time that an object takes

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """One object as `write_past` takes it, the ledgers that are its own, and PromQL that is there when they would be.

    `is_whole`: it must be computed at once, since what is derived of one week reads the weeks before.
    """

    kind: str
    name: str
    money: MoneyDeclared
    ledgers: tuple[str, ...]
    measured: str
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written of one object: ledger entries (moments), the first and the last, and samples of all its series.

    `recorded_from` is its first entry before that, None without any. Of a dry run `entries` are those there would be.
    """

    kind: str
    name: str
    entries: int
    first: datetime | None
    last: datetime | None
    samples: int
    recorded_from: datetime | None


@dataclass(frozen=True, slots=True)
class Order:
    """From when on, and whether nothing is written. `facts` tell what the server takes."""

    since: datetime
    facts: StorageFacts
    dry_run: bool = False


def backfill(
    money: MoneyDeclared,
    backend: MetricsBackend,
    writer: RemoteWriter,
    order: Order,
    now: Callable[[], datetime],
    progress: Progress = lambda share: None,
) -> list[Filled]:
    """Price maps, then budgets, then unit costs: each reads what those before have written.

    Raises what the ports raise, and `Permanent` with what to set where the server would refuse; what was written until
    then stays, newest entries first, so that the next run goes on where this one ended.
    """
    chosen = list(subjects(_with_models_of_then(money, backend, order.since, now())))
    done = []
    for number, subject in enumerate(chosen):
        done.append(_fill(subject, backend, writer, order, now, _part(progress, number / len(chosen), 1 / len(chosen))))
    return done


def subjects(money: MoneyDeclared) -> Iterator[Subject]:
    """What has ledgers, in the order in which they read one another."""
    for price_map in money.price_maps:
        if price_map.items:
            yield _price_map(price_map)
    for budget in money.budgets:
        yield _budget(budget)
    for unit_cost in money.unit_costs:
        yield _unit_cost(unit_cost)


def _price_map(price_map: PriceMap) -> Subject:
    items = any_of(names.PRICE, tuple(item.name for item in price_map.items))
    ledgers = tuple(f"{ledger}{{{items}}}" for ledger in (names.SPEND_LEDGER, names.ESTIMATE_LEDGER))
    spent = (expressions.hourly(item) or expressions.spend_over_past(item) for item in price_map.items)
    measured = "\nor\n".join(f"count(\n{each}\n)" for each in spent)
    return Subject("price map", price_map.name, MoneyDeclared(price_maps=(price_map,)), ledgers, measured)


def _budget(budget: Budget) -> Subject:
    money = MoneyDeclared(budgets=(budget,))
    own = f"{names.BUDGET}={quoted(budget.name)},{names.CURRENCY}={quoted(budget.currency)}"
    ledgers = tuple(
        f"{ledger}{{{own}}}"
        for ledger in (names.BUDGET_LEDGER, names.BUDGET_EXPECTED_LEDGER, names.BUDGET_PERIOD_LEDGER)
    )
    return Subject("budget", budget.name, money, ledgers, _expression(money, names.BUDGET_ROLLING), is_whole=True)


def _unit_cost(unit_cost: UnitCost) -> Subject:
    money = MoneyDeclared(unit_costs=(unit_cost,))
    own = f"{names.UNIT_COST}={quoted(unit_cost.name)}"
    ledgers = tuple(
        f"{ledger}{{{own}}}"
        for ledger in (names.UNIT_COST_SPEND_LEDGER, names.UNIT_COST_UNITS_LEDGER, names.UNIT_COST_UNPAIRED_LEDGER)
    )
    return Subject("unit cost", unit_cost.name, money, ledgers, _expression(money, names.UNIT_COST_ATTRIBUTED))


def _expression(money: MoneyDeclared, record: str) -> str:
    """How many series a rule would record."""
    (expr,) = (
        rule.expr
        for file in money_rule_files(money, CompileOptions())
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, RecordingRule) and rule.record == record
    )
    return f"count(\n{expr}\n)"


def _with_models_of_then(
    money: MoneyDeclared, backend: MetricsBackend, since: datetime, now: datetime
) -> MoneyDeclared:
    """With prices for models that nobody listed: rules would have had them from the day on which they occurred."""
    if not any(item.catalogue for price_map in money.price_maps for item in price_map.items):
        return money
    models, at = DiscoveredModels(), now
    while at > since:
        models.look(money.price_maps, backend, at)
        at -= _DAY
    return replace(money, price_maps=models.priced(money.price_maps))


def _fill(
    subject: Subject,
    backend: MetricsBackend,
    writer: RemoteWriter,
    order: Order,
    now: Callable[[], datetime],
    progress: Progress,
) -> Filled:
    begun = now()
    recorded_from = first_entry(subject.ledgers, backend, begun)
    end = _floor(recorded_from or begun)
    start = _reachable(order, begun)
    measured = _measured(subject, backend, start, end, _part(progress, 0, _ASKED_SHARE))
    if measured:
        _ensure_taken(order.facts, begun, measured[0])
    if order.dry_run or not measured:
        return _filled(subject, measured, 0, recorded_from)
    counting = NewestFirst(writer, frozenset(each.partition("{")[0] for each in subject.ledgers))
    stretches = [(measured[0], end)] if subject.is_whole else list(_pieces(measured, end))
    for number, (first, until) in enumerate(stretches):
        share = (1 - _ASKED_SHARE) / len(stretches)
        write_past(
            subject.money, backend, counting, start=first, end=until, now=now if until == end else None,
            progress=_part(progress, _ASKED_SHARE + number * share, share),
        )  # fmt: skip
    entries = [datetime.fromtimestamp(at / 1000, UTC) for at in sorted(counting.entries)]
    return _filled(subject, entries, counting.samples, recorded_from)


def _filled(subject: Subject, entries: Sequence[datetime], samples: int, recorded_from: datetime | None) -> Filled:
    first, last = (entries[0], entries[-1]) if entries else (None, None)
    return Filled(subject.kind, subject.name, len(entries), first, last, samples, recorded_from)


def first_entry(ledgers: Sequence[str], backend: MetricsBackend, now: datetime) -> datetime | None:
    """When the first entry of the last 400 days was made; None without any. First the day is found, then the step."""
    start = now - LONGEST
    for length, step in (("1d", _DAY), ("5m", LEDGER_INTERVAL)):
        counted = " or ".join(f"count(count_over_time({ledger}[{length}]))" for ledger in ledgers)
        points = [at for series in backend.query_range(counted, start, now, step) for at, _ in series.points]
        if not points:
            return None
        now = min(points)
        start = now - _DAY
    moments = " or ".join(
        f'label_replace(timestamp({ledger}), "of", "{n}", "", "")' for n, ledger in enumerate(ledgers)
    )
    found = backend.query(f"min({moments})", now)
    return datetime.fromtimestamp(found[0].value, UTC) if found else now - LEDGER_INTERVAL


def _part(progress: Progress, begin: float, share: float) -> Progress:
    """Progress of a part as that of the whole."""
    return lambda done: progress(begin + share * done)


def _reachable(order: Order, now: datetime) -> datetime:
    """The first step that is asked for; where that is just what the server takes, a little later."""
    late, since = order.facts.late, max(order.since, now - LONGEST)
    if late is not None and late < now - since + _SLACK <= late + 2 * _SLACK:
        since = now - late + _SLACK
    floor = _floor(since)
    return floor if floor == since else floor + LEDGER_INTERVAL


def _floor(moment: datetime) -> datetime:
    """The multiple of 5 minutes at or before a moment."""
    return _EPOCH + (moment - _EPOCH) // LEDGER_INTERVAL * LEDGER_INTERVAL


def _ensure_taken(facts: StorageFacts, now: datetime, oldest: datetime) -> None:
    """Raises `Permanent` when samples that old would be refused."""
    if facts.takes_remote_write is False:
        raise Permanent("this Prometheus takes no remote write: start it with --web.enable-remote-write-receiver")
    needed = now - oldest
    if facts.late is not None and facts.late < needed:
        hours = -(-(needed + _SLACK) // timedelta(hours=1))
        raise Permanent(
            f"this Prometheus takes samples that come at most {duration(facts.late)} late, and the oldest are "
            f"{hours}h old. Set storage.tsdb.out_of_order_time_window: {hours}h in its configuration and reload it, or "
            "ask for less (--since)"
        )


def _measured(
    subject: Subject, backend: MetricsBackend, start: datetime, end: datetime, progress: Progress
) -> list[datetime]:
    """The steps from `start` to before `end` in which there is something to enter."""
    found: list[datetime] = []
    first = start
    while first < end:
        last = min(first + _PIECE, end) - LEDGER_INTERVAL
        series = backend.query_range(subject.measured, first, last, LEDGER_INTERVAL)
        found += sorted({at for one in series for at, _ in one.points})
        first = last + LEDGER_INTERVAL
        progress((first - start) / (end - start))
    return found


def _pieces(measured: Sequence[datetime], end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Where something was measured, newest first, each as (start, end)."""
    until = end
    while until > measured[0]:
        begin = until - _PIECE
        inside = [at for at in measured if begin <= at < until]
        if inside:
            yield inside[0], until
        until = begin


class NewestFirst:
    """Writes the newest samples first, all of a moment in one request, and counts them.

    So whatever interrupts it, the first entry of a ledger is where its gap ends.
    """

    def __init__(self, writer: RemoteWriter, ledgers: frozenset[str]) -> None:
        self._writer: Final = writer
        self._ledgers: Final = ledgers
        self.entries: Final[set[int]] = set()
        self.samples = 0

    def write(self, series: Sequence[Series]) -> None:
        """Write all points."""
        columns = [columnar(one) for one in series if one.points]
        for one, its in zip((one for one in series if one.points), columns, strict=True):
            if one.labels["__name__"] in self._ledgers:
                self.entries.update(its.timestamps_ms.tolist())
        if not columns:
            return
        every = np.sort(np.concatenate([one.timestamps_ms for one in columns]))
        self.samples += every.size
        stop = every.size
        while stop > 0:
            first = every[max(0, stop - _SAMPLES_PER_REQUEST)]
            begin = int(np.searchsorted(every, first))  # the whole of that moment
            self._writer.write_columns(_between(columns, int(first), int(every[stop - 1])))
            stop = begin


def _between(columns: Sequence[ColumnarSeries], first: int, last: int) -> list[ColumnarSeries]:
    found = []
    for one in columns:
        inside = slice(np.searchsorted(one.timestamps_ms, first), np.searchsorted(one.timestamps_ms, last, "right"))
        found.append(ColumnarSeries(one.labels, one.timestamps_ms[inside], one.values[inside]))
    return found
