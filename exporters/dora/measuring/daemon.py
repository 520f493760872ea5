"""Measures days again that facts have changed, and lets counters grow."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from controlplane.model.delivery import CounterRow, Sheet, SheetKey
from controlplane.model.event import JSON, Event
from controlplane.ports import HeldLease, Store, Transaction
from exporters.dora.measuring.attributed import events_of
from exporters.dora.measuring.counting import Item, counted_now, growth, items_of
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning.gathering import Gathered, gather
from exporters.dora.reckoning.judging import Judge, Reckoning
from exporters.dora.sheets.columns import DaySheet
from exporters.dora.sheets.filling import sheet_of
from exporters.dora.sheets.packing import VERSION, UnreadableSheet, pack, unpack

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

BATCH: Final = 64  # days of a transaction, at most
HEAVY: Final = 2000  # deployments: batches with more become smaller, since others wait to write
BATCHES: Final = 50  # of a turn
RULES: Final = 1  # version of the definitions: whoever changes one counts it up, and every day is measured again
PROGRESS: Final = "dora.measuring"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # nothing was deployed before
_DAY: Final = timedelta(days=1)
_LOOKED_THROUGH: Final = timedelta(days=7)  # at a time, for days that other rules measured
_DIGEST, _NEXT = "digest", "next"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn did. `is_done`: nothing is stale any more."""

    measured: int = 0  # days
    deployments: int = 0  # in them
    counted: int = 0  # counter rows that grew
    told: int = 0
    is_done: bool = True


class MeasureDaemon:
    """Turns stale days into sheets, in bounded batches, each with its counters in one leased transaction."""

    def __init__(
        self, store: Store, policy: Callable[[], DeliveryPolicy], *, batch: int = BATCH, batches: int = BATCHES
    ) -> None:
        self._store = store
        self._policy = policy
        self._batch = batch
        self._batches = batches
        self._suspects: set[SheetKey] = set()

    def suspect(self, keys: Iterable[SheetKey]) -> None:
        """Days whose sheets somebody could not read: they are measured again at the next turn."""
        self._suspects.update(keys)

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Turn:
        """Measure what is stale, up to `batches` times `batch` days. Raises Transient and LeaseLost."""
        policy = self._policy()
        all_marked = self._mark_what_changed(policy, now, lease)
        turn, size = Turn(), self._batch
        for _ in range(self._batches):
            with self._store.transaction(lease=lease) as transaction:
                keys = transaction.delivery.stale(size)
                done = measure(transaction, keys, policy, now)
            is_last = len(keys) < size
            turn = _sum(turn, done, is_done=is_last and all_marked)
            if is_last:
                break
            size = min(self._batch, max(size * HEAVY // max(done.deployments, 1), 1))
        return turn

    def _mark_what_changed(self, policy: DeliveryPolicy, now: datetime, lease: HeldLease | None) -> bool:
        """Every day is stale when the rules are others, a week of days at a time, the latest first; whether all are."""
        suspects = sorted(self._suspects)
        digest = digest_of(policy)
        with self._store.transaction(read_only=True) as transaction:
            known = transaction.delivery.progress(PROGRESS) or {}
        if known.get(_DIGEST) == digest and not known.get(_NEXT) and not suspects:
            return True
        with self._store.transaction(lease=lease) as transaction:
            transaction.delivery.mark_stale(suspects)
            all_marked = _mark_all(transaction.delivery, known if known.get(_DIGEST) == digest else {}, digest, now)
        self._suspects.difference_update(suspects)
        return all_marked


def _sum(one: Turn, other: Turn, *, is_done: bool) -> Turn:
    return Turn(
        one.measured + other.measured,
        one.deployments + other.deployments,
        one.counted + other.counted,
        one.told + other.told,
        is_done,
    )


def count_by_other_rules(log_: "DeliveryLog", policy: DeliveryPolicy, now: datetime, most: int) -> int:
    """Days that other rules measured and that are not marked yet; counting ends soon after `most`."""
    known = log_.progress(PROGRESS) or {}
    is_same = known.get(_DIGEST) == digest_of(policy)
    if is_same and not known.get(_NEXT):
        return 0
    last, count = _next_day(known if is_same else {}, now), 0
    earliest = _earliest(log_)
    while earliest is not None and last >= earliest and count <= most:
        count += sum(1 for _ in log_.sheets(last - _LOOKED_THROUGH + _DAY, last))
        last -= _LOOKED_THROUGH
    return count


def _next_day(known: Mapping[str, JSON], now: datetime) -> date:
    """The last day that may have to be marked."""
    next_ = known.get(_NEXT)
    return date.fromisoformat(str(next_)) if next_ else (now.astimezone(UTC) + _DAY).date()


def _mark_all(log_: "DeliveryLog", known: Mapping[str, JSON], digest: str, now: datetime) -> bool:
    """Go on marking measured days, one stretch further into the past, until there are none. Whether there are none."""
    if known and not known.get(_NEXT):
        return True
    last = _next_day(known, now)
    earliest = _earliest(log_)
    while earliest is not None and last >= earliest:
        first = last - _LOOKED_THROUGH
        keys = [sheet.key for sheet in log_.sheets(first + _DAY, last)]
        last = first
        if keys:
            log_.mark_stale(keys)
            log_.put_progress(PROGRESS, {_DIGEST: digest, _NEXT: last.isoformat()})
            return False
    log_.put_progress(PROGRESS, {_DIGEST: digest, _NEXT: ""})
    return True


def _earliest(log_: "DeliveryLog") -> date | None:
    """The first day that may have a sheet."""
    found = [one for pair in log_.services() for one in log_.first_deployments_after(*pair, EPOCH, 1)]
    return min((one.at.date() for one in found), default=None)


def digest_of(policy: DeliveryPolicy) -> str:
    """What of a policy and of ourselves plays a part in a sheet."""
    parts = (RULES, VERSION, policy.attribution_window, policy.rollback_window)
    return sha256(repr(parts).encode()).hexdigest()


def measure(transaction: Transaction, keys: Sequence[SheetKey], policy: DeliveryPolicy, now: datetime) -> Turn:
    """Reckon these days, keep their sheets, let counters grow, and tell new attributions."""
    if not keys:
        return Turn()
    known = transaction.delivery.sheets_of(keys)
    sheets: list[Sheet] = []
    rows: list[CounterRow] = []
    events: list[Event] = []
    deployments = 0
    for gathered in gather(transaction.delivery, keys, policy):
        traces = {one.id: one.trace_id for one in gathered.stretch.deployments}
        for key, reckoned in _reckoned(gathered, policy):
            sheet, grown, told = _measured(key, reckoned, list(items_of(reckoned, traces)), known.get(key), now)
            sheets.append(sheet)
            rows += grown
            events += told
            deployments += len(reckoned.deployments)
    transaction.delivery.put_sheets(sheets)
    transaction.delivery.add_counters(rows)
    told_now = transaction.events.append_all(events, now) if events else 0
    return Turn(len(sheets), deployments, len(rows), told_now)


def _reckoned(gathered: Gathered, policy: DeliveryPolicy) -> Iterable[tuple[SheetKey, Reckoning]]:
    stretch = gathered.stretch
    judge = Judge(stretch, gathered.start, gathered.end, policy)
    for day in gathered.days:
        midnight = datetime.combine(day, time.min, UTC)
        yield SheetKey(stretch.service, stretch.environment, day), judge.between(midnight, midnight + _DAY)


def _measured(
    key: SheetKey, reckoned: Reckoning, items: Sequence[Item], before: Sheet | None, now: datetime
) -> tuple[Sheet, list[CounterRow], list[Event]]:
    """A sheet that cannot be read has counted we do not know what: nothing of that day is counted again."""
    midnight = datetime.combine(key.day, time.min, UTC)
    try:
        known = unpack(before.body) if before is not None else DaySheet()
    except UnreadableSheet as error:
        fields = {"service": key.service, "environment": key.environment, "day": key.day, "why": str(error)}
        log.warning("dora.sheet_unreadable", extra=fields)
        counted = counted_now(items, DaySheet().counted)
        return Sheet(key, pack(sheet_of(reckoned, midnight, counted))), [], []
    grown = growth(items, known.counted, key.service, key.environment)
    sheet = sheet_of(reckoned, midnight, counted_now(items, known.counted))
    return Sheet(key, pack(sheet)), grown, list(events_of(reckoned, known.incidents, now))
