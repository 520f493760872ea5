"""Backfills SLOs in the way that suits the server, and tells what is left."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.prometheus_storage import StorageFacts, storage_facts
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.adapters.tsdb_blocks import Block, BlockMaker, block_size
from controlplane.burn_rate import LEDGER_INTERVAL, duration
from controlplane.model.slo import SLO
from controlplane.ports import Permanent, Transient
from flyball.backfilling.block_folder import BlockFolder, in_data_of, wait_until_taken
from flyball.backfilling.sinks import BlockSink, RemoteWriteSink, openmetrics_file
from flyball.demo.steps import Report, Steps
from slo.backfill.run import Backends, Filled, backfill, survey_all
from slo.backfill.survey import Stretch

_HEAD: Final = timedelta(hours=3)  # what Prometheus may still hold in memory (promtool's own advice)
_TWO_HOURS: Final = 7200
_SLACK: Final = timedelta(minutes=15)  # samples grow older while they are computed
_LOOK_EVERY_SECONDS: Final = 2.0
_TAKEN_WITHIN_SECONDS: Final = 150.0  # Prometheus looks for new blocks once a minute


class Method(Enum):
    """How the past is handed over."""

    AUTO = "auto"
    BLOCKS = "blocks"
    REMOTE_WRITE = "remote-write"
    OPENMETRICS = "openmetrics"


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. `out` is a file of OpenMetrics or a folder of blocks; `data` Prometheus' own folder."""

    slos: Sequence[SLO]
    stretch: Stretch
    method: Method = Method.AUTO
    out: Path | None = None
    data: Path | None = None
    dry_run: bool = False
    patience_seconds: float = _TAKEN_WITHIN_SECONDS


@dataclass(frozen=True, slots=True)
class Servers:
    """Where events are measured, where SLOs are recorded (mostly the same), and the latter's URL with credentials."""

    measured_in: PrometheusBackend
    recorded_in: PrometheusBackend
    write_url: str

    @property
    def backends(self) -> Backends:
        """As the feature wants them."""
        return Backends(self.measured_in, self.recorded_in)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it. `left_from` is set where the latest hours could not be written: they can be later."""

    method: Method
    until: datetime
    filled: tuple[Filled, ...]
    blocks: tuple[str, ...] = ()
    out: Path | None = None
    left_from: datetime | None = None
    waiting: bool = False
    """Blocks of an earlier run lie in `out` and no Prometheus has taken them: nothing was computed."""


def run(order: Order, servers: Servers, steps: Steps) -> Done:
    """Do it. Raises `Transient` or `Permanent` with what to do about it; nothing is half applied then."""
    facts = storage_facts(servers.recorded_in)
    method = _chosen(order, facts)
    if order.data is not None:
        _finish_earlier(in_data_of(order.data), order, servers, steps)
    if method is Method.REMOTE_WRITE:
        order = replace(order, stretch=_within_reach(order, facts))
    elif method is Method.BLOCKS:
        order = replace(order, stretch=_behind_the_head(order.stretch, facts))
    if order.dry_run:
        return _surveyed(order, method, servers, steps)
    match method:
        case Method.REMOTE_WRITE:
            return _remotely(order, servers, steps)
        case Method.OPENMETRICS:
            return _as_text(order, servers, steps)
        case _:
            return _as_blocks(order, facts, servers, steps)


def _chosen(order: Order, facts: StorageFacts) -> Method:
    if order.method is not Method.AUTO:
        return order.method
    takes_late = facts.takes_remote_write and facts.late is not None and facts.late + LEDGER_INTERVAL >= _needed(order)
    return Method.REMOTE_WRITE if takes_late and order.out is None and order.data is None else Method.BLOCKS


def _needed(order: Order) -> timedelta:
    """How old the oldest sample is."""
    stretch = order.stretch
    if stretch.since is not None:
        return stretch.now - stretch.since
    return stretch.now - stretch.until + max(slo.window.length for slo in order.slos)


def _within_reach(order: Order, facts: StorageFacts) -> Stretch:
    """What the server will take. Raises `Permanent` when that is not what was asked for."""
    needed = _needed(order)
    if facts.takes_remote_write is False:
        raise Permanent(
            "this Prometheus takes no remote write: start it with --web.enable-remote-write-receiver, or hand it "
            "blocks (--method blocks)"
        )
    if facts.late is None:
        return order.stretch
    if facts.late + LEDGER_INTERVAL < needed:
        hours = -(-(needed + _SLACK) // timedelta(hours=1))
        raise Permanent(
            f"this Prometheus takes samples that come at most {duration(facts.late)} late, and the oldest are "
            f"{duration(needed)} old. Set storage.tsdb.out_of_order_time_window: {hours}h in its configuration and "
            "reload it, or hand it blocks (--method blocks)"
        )
    oldest = order.stretch.now - facts.late + _SLACK
    if order.stretch.since is None:
        return order.stretch if facts.late >= needed + _SLACK else replace(order.stretch, since=oldest)
    return replace(order.stretch, since=max(order.stretch.since, oldest))


def _behind_the_head(stretch: Stretch, facts: StorageFacts) -> Stretch:
    """Blocks must end before what is in memory begins, or a restart would forget what is in memory."""
    if facts.head_begins is not None:
        head = min(facts.head_begins, stretch.now)
    else:
        seconds = int((stretch.now - _HEAD).timestamp()) // _TWO_HOURS * _TWO_HOURS
        head = datetime.fromtimestamp(seconds, UTC)
    return replace(stretch, before=head)


def _surveyed(order: Order, method: Method, servers: Servers, steps: Steps) -> Done:
    with steps.step("Asking what is recorded") as report:
        surveys = survey_all(order.slos, servers.backends, order.stretch, report)
    filled = (
        Filled(one.slo.name, one.ledger.points, one.ledger.points - one.lacks_in_ledger, 0, 0, 0) for one in surveys
    )
    return Done(method, order.stretch.until, tuple(filled), left_from=_left(order))


def _remotely(order: Order, servers: Servers, steps: Steps, title: str = "") -> Done:
    with RemoteWriter(servers.write_url) as writer, steps.step(title or _title(order)) as report:
        filled = backfill(order.slos, servers.backends, order.stretch, RemoteWriteSink(writer), report)
    return Done(Method.REMOTE_WRITE, order.stretch.until, tuple(filled))


def _as_text(order: Order, servers: Servers, steps: Steps) -> Done:
    if order.out is None:
        raise Permanent("name the file that the samples go to: -o FILE")
    with openmetrics_file(order.out) as sink, steps.step(_title(order)) as report:
        filled = backfill(order.slos, servers.backends, order.stretch, sink, report)
    return Done(Method.OPENMETRICS, order.stretch.until, tuple(filled), out=order.out)


def _as_blocks(order: Order, facts: StorageFacts, servers: Servers, steps: Steps) -> Done:
    folder = in_data_of(order.data) if order.data is not None else BlockFolder(order.out or Path("flyball-backfill"))
    with folder.exclusive():
        if folder.waiting():
            if not folder.holds([slo.name for slo in order.slos]):
                raise Permanent(
                    f"{folder.path} holds blocks of other SLOs that no Prometheus has taken: move them into its data "
                    "folder, or name another folder"
                )
            return Done(Method.BLOCKS, order.stretch.until, (), out=folder.path, waiting=True)
        earlier = folder.blocks()
        if earlier and order.data is None and _not_taken(earlier, servers, 0):
            raise Transient(
                f"the blocks of {folder.path} were moved, and Prometheus has not taken them yet: it looks for new ones "
                f"once a minute. If they are lost, remove {folder.path}"
            )
        filled, blocks = _made(order, folder, facts, servers, steps)
        if order.data is None:
            return Done(Method.BLOCKS, order.stretch.until, filled, blocks, folder.path, _left(order))
        if blocks:
            _handed_over(folder, order, servers, steps)
    latest = _latest(order, facts, servers, steps)
    if latest is None:
        return Done(Method.BLOCKS, order.stretch.until, filled, blocks, order.data, _left(order))
    return Done(Method.BLOCKS, order.stretch.until, _joined(filled, latest.filled), blocks, order.data)


def _made(
    order: Order, folder: BlockFolder, facts: StorageFacts, servers: Servers, steps: Steps
) -> tuple[tuple[Filled, ...], tuple[str, ...]]:
    made: list[Block] = []
    maker = BlockMaker(folder.prepare(), block_size(facts.longest_block))
    try:
        with steps.step(_title(order)) as report:
            filled = backfill(order.slos, servers.backends, order.stretch, BlockSink(maker), report)
        if any(one.samples for one in filled):
            with steps.step("Making blocks") as report:
                made = maker.make(report)
            folder.complete(made, [slo.name for slo in order.slos])
    finally:
        maker.close()
        folder.discard()
    return tuple(filled), tuple(block.name for block in made)


def _finish_earlier(folder: BlockFolder, order: Order, servers: Servers, steps: Steps) -> None:
    """Hand over what an earlier run had completed when it was stopped."""
    with folder.exclusive():
        if folder.blocks() is not None and not order.dry_run:
            _handed_over(folder, order, servers, steps)


def _handed_over(folder: BlockFolder, order: Order, servers: Servers, steps: Steps) -> None:
    assert order.data is not None
    blocks = folder.blocks() or ()
    folder.hand_over(order.data)
    with steps.step("Waiting until Prometheus has taken the blocks: it looks once a minute") as report:
        left = _not_taken(blocks, servers, order.patience_seconds, report)
    if left:
        raise Transient(
            f"{len(blocks)} blocks are in {order.data}, but {servers.recorded_in.address} does not show them. If "
            "another Prometheus reads this folder, name it (--into URL); if it is stopped, start it; its log tells "
            "when it cannot read them. Then run this again: it waits for these blocks and writes nothing twice"
        )
    folder.forget()


def _not_taken(
    blocks: Sequence[Block], servers: Servers, patience_seconds: float, report: Report = lambda share: None
) -> list[Block]:
    began = time.monotonic()

    def is_there(block: Block) -> bool:
        at = datetime.fromtimestamp(block.unix_seconds, UTC)
        return bool(servers.recorded_in.query(f"{block.series}[1s]", at))

    def pause() -> bool:
        passed = time.monotonic() - began
        if passed >= patience_seconds:
            return False
        report(min(1.0, passed / 60))
        time.sleep(_LOOK_EVERY_SECONDS)
        return True

    return wait_until_taken(blocks, is_there, pause)


def _latest(order: Order, facts: StorageFacts, servers: Servers, steps: Steps) -> Done | None:
    """Write what is in memory's time remotely, where the server takes it; None where it does not."""
    before = order.stretch.before
    late = facts.late or timedelta(0)
    if (
        before is None
        or _left(order) is None
        or not facts.takes_remote_write
        or late < order.stretch.now - before + _SLACK
    ):
        return None
    since = max(before - LEDGER_INTERVAL, order.stretch.since or before - LEDGER_INTERVAL)
    latest = replace(order, stretch=replace(order.stretch, since=since, before=None))
    return _remotely(latest, servers, steps, "Writing the latest hours")


def _left(order: Order) -> datetime | None:
    before = order.stretch.before
    return before if before is not None and before <= order.stretch.until else None


def _joined(first: Sequence[Filled], then: Sequence[Filled]) -> tuple[Filled, ...]:
    return tuple(
        Filled(
            one.name,
            one.entries + other.entries,
            one.recorded + other.recorded,
            one.written + other.written,
            one.samples + other.samples,
            one.series + other.series,
        )
        for one, other in zip(first, then, strict=True)
    )


def _title(order: Order) -> str:
    return f"Computing the past of {len(order.slos)} SLO{'' if len(order.slos) == 1 else 's'}"


@contextmanager
def servers_at(measured: PrometheusBackend, recorded: PrometheusBackend, write_url: str) -> Iterator[Servers]:
    """Both, closed afterwards."""
    try:
        yield Servers(measured, recorded, write_url)
    finally:
        measured.close()
        recorded.close()
