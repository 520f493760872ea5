"""Probers in three regions, a target, and the networks between them, on a simulated clock.

Probers do as the engine does: a run every 30 seconds, a failure is confirmed two seconds later, and failures while the
region does not reach its known-good target either are the prober's fault.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from controlplane.model.check import (
    CheckKind,
    CheckResult,
    Outcome,
    RegionContact,
    RegionState,
    Verdict,
    VerdictKind,
)
from controlplane.model.event import Event
from controlplane.model.source import SourcePosition
from synthetics.probes.model import Probe
from synthetics.probes.modules import TCPModule
from synthetics.regions.changes import events_of
from synthetics.regions.model import Region, Watch, Watched
from synthetics.regions.recent import RecentRuns
from synthetics.regions.verdicts import Evidence, VerdictKey, judge
from tests.contracts.checking import NOON, result

SECOND = timedelta(seconds=1)
INTERVAL = 30
REGIONS = ("ap", "eu", "us")
START = NOON.replace(microsecond=0)


class Trouble(Enum):
    """What a region suffers from."""

    NONE = "none"
    TARGET = "target"  # it does not reach the target
    CONTROL = "control"  # it does not reach the control plane
    UPLINK = "uplink"  # it reaches neither the target nor its known-good one


@dataclass(frozen=True)
class Phase:
    """From one second until before another."""

    trouble: Trouble
    start: int
    end: int

    def holds(self, second: int) -> bool:
        return self.start <= second < self.end


def _self_check(region: str) -> Probe:
    nowhere = SourcePosition("f", 1, 1)
    return Probe(region, "known-good:443", TCPModule(), nowhere, interval=timedelta(seconds=10))


WATCH = Watch(
    (Watched("gateway", CheckKind.PROBE, INTERVAL * SECOND),),
    tuple(Region(name, self_check=_self_check(name)) for name in REGIONS),
)


@dataclass
class Log:
    """As much of a CheckLog as `RecentRuns` reads."""

    taken: list[CheckResult] = field(default_factory=list)

    def last_arrival(self) -> int:
        return len(self.taken)

    def latest(self, *_: object, **__: object) -> list[CheckResult]:
        return list(self.taken)

    def arrived(self, after: int, *_: object, **__: object) -> tuple[list[CheckResult], int]:
        return self.taken[after:], len(self.taken)


@dataclass
class World:
    """Everything, second by second."""

    troubles: dict[str, Sequence[Phase]] = field(default_factory=dict)
    outages: Sequence[Phase] = ()  # of the target
    script: Callable[[str, int], Outcome] | None = None  # what a run finds, instead
    watch: Watch = WATCH
    log: Log = field(default_factory=Log)
    buffers: dict[str, list[CheckResult]] = field(default_factory=lambda: {name: [] for name in REGIONS})
    contacts: dict[str, RegionContact] = field(default_factory=dict)
    recent: RecentRuns = field(default_factory=RecentRuns)
    verdicts: dict[VerdictKey, Verdict] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    history: list[tuple[int, VerdictKind, bool, dict[str, RegionState]]] = field(default_factory=list)

    def run(self, seconds: int) -> "World":
        for second in range(seconds):
            for offset, region in enumerate(REGIONS):
                self._probe(region, offset * 7, second)
                if second % 2 == 0:
                    self._report(region, second)
            if second % 2 == 0:
                self._judge(second)
        return self

    def kinds(self, start: int, end: int) -> set[VerdictKind]:
        return {kind for second, kind, _, _ in self.history if start <= second < end}

    def states(self, region: str, start: int, end: int) -> set[RegionState]:
        return {states[region] for second, _, _, states in self.history if start <= second < end}

    def first(self, kind: VerdictKind, after: int) -> int | None:
        return next((second for second, found, _, _ in self.history if second >= after and found is kind), None)

    def _suffers(self, region: str, trouble: Trouble, second: int) -> bool:
        return any(each.trouble is trouble and each.holds(second) for each in self.troubles.get(region, ()))

    def _finds(self, region: str, second: int) -> Outcome:
        if self.script is not None:
            return self.script(region, second)
        if self._suffers(region, Trouble.UPLINK, second):
            return Outcome.FAULT
        is_down = self._suffers(region, Trouble.TARGET, second) or any(each.holds(second) for each in self.outages)
        return Outcome.FAILED if is_down else Outcome.OK

    def _probe(self, region: str, offset: int, second: int) -> None:
        at = START + second * SECOND
        if (second - offset) % INTERVAL == 0:
            self._found(region, at, self._finds(region, second), confirms=False)
        earlier = self._finds(region, second - 2) if second >= offset + 2 else Outcome.OK
        if (second - 2 - offset) % INTERVAL == 0 and earlier is Outcome.FAILED and self.script is None:
            self._found(region, at, self._finds(region, second), confirms=True)
        if second % 10 == 5:
            outcome = Outcome.FAILED if self._suffers(region, Trouble.UPLINK, second) else Outcome.OK
            one = result(0, region=region, check=region, kind=CheckKind.SELF_CHECK, started_at=at, outcome=outcome)
            self.buffers[region].append(one)

    def _found(self, region: str, at: datetime, outcome: Outcome, *, confirms: bool) -> None:
        one = result(0, region=region, started_at=at, outcome=outcome, confirms=confirms, samples=(), timings=())
        self.buffers[region].append(one)

    def _report(self, region: str, second: int) -> None:
        if self._suffers(region, Trouble.CONTROL, second):
            return
        waiting, self.buffers[region] = self.buffers[region], []
        self.log.taken += waiting[-3:] + waiting[:-3]  # the newest first
        self.contacts[region] = RegionContact(region, "p", second + 1, START + second * SECOND, 0)

    def _judge(self, second: int) -> None:
        now = START + second * SECOND
        self.recent.follow(self.log, now)  # type: ignore[arg-type]
        evidence = Evidence(self.recent.runs, self.contacts, START)
        verdicts = judge(self.watch, evidence, self.verdicts, now)
        self.events += events_of(self.verdicts, verdicts, now)
        self.verdicts = {verdict.key: verdict for verdict in verdicts}
        found = self.verdicts["probe", "gateway"]
        self.history.append(
            (second, found.kind, found.flapping, {each.region: each.state for each in found.regions})
        )  # fmt: skip
