"""Checks from outside: what one run of a probe or a journey found, and what all regions together make of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

DETAIL_LENGTH: Final = 500  # characters of a result's `detail`
MAX_SAMPLES: Final = 100  # of one result
MAX_TIMINGS: Final = 50
RUN_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # up to which the buckets of run times go


class CheckKind(Enum):
    """What was run. Names are unique within a kind."""

    PROBE = "probe"
    JOURNEY = "journey"
    SELF_CHECK = "self-check"  # of a region against its own known-good target; `check` is the region's name


class Outcome(Enum):
    """How a run ended. A fault is the prober's own: it says nothing about the target."""

    OK = "ok"
    FAILED = "failed"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one part took: a phase of a probe (`resolve`, `connect`, `tls`, …) or a step of a journey, in order."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CheckSample:
    """A gauge that this run measured, by its name in blackbox_exporter: `probe_http_status_code`."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One run in one region; it is the same run as another when kind, check, region and start agree.

    `reason` is one word for machines (`status`, `timeout`, `dns`, `tls`, …), `detail` a sentence for people; both are
    empty when all is well, neither holds a secret. `confirms`: it ran out of turn, to confirm a failure.
    """

    check: str
    kind: CheckKind
    region: str
    started_at: datetime
    duration_seconds: float
    outcome: Outcome
    reason: str = ""
    detail: str = ""
    timings: tuple[Timing, ...] = ()
    samples: tuple[CheckSample, ...] = ()
    trace_id: str = ""
    confirms: bool = False

    @property
    def key(self) -> tuple[str, str, str, datetime]:
        """What makes it one run, however often it is reported."""
        return self.kind.value, self.check, self.region, self.started_at


class RegionState(Enum):
    """What one region says about one check."""

    UP = "up"
    DOWN = "down"  # confirmed: it failed twice in a row
    FLAPPING = "flapping"  # it changes so often that neither is believed
    FAULT = "fault"  # the prober is at fault
    SILENT = "silent"  # nothing was heard for too long; that is not down
    PENDING = "pending"  # nothing was heard yet


class VerdictKind(Enum):
    """What all regions together say about one check."""

    UP = "up"
    REGIONAL = "regional"  # some regions that can tell say down, fewer than it takes to be global
    GLOBAL = "global"
    UNKNOWN = "unknown"  # no region can tell


@dataclass(frozen=True, slots=True)
class RegionVerdict:
    """A region's part of a verdict; `since` is when it entered the state, `detail` why, for people."""

    region: str
    state: RegionState
    since: datetime
    detail: str = ""
    latest_at: datetime | None = None  # start of the latest run that counts
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of one check; `since` is when it became `kind`. `needed`: regions that must say down to make it global.

    `flapping`: so many regions flap that the rest cannot tell; `kind` is then what it was before.
    """

    check: str
    check_kind: CheckKind
    kind: VerdictKind
    since: datetime
    needed: int
    regions: tuple[RegionVerdict, ...]
    flapping: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Whose verdict it is."""
        return self.check_kind.value, self.check


@dataclass(frozen=True, slots=True)
class RegionContact:
    """What is known of a region's prober: when it reported last, and how much it still holds back."""

    region: str
    prober: str  # a prober's own id, new with each start
    sequence: int  # number of its latest report
    reported_at: datetime
    buffered: int
    version: str = ""


@dataclass(frozen=True, slots=True)
class ReportHead:
    """Who reports: reports of a prober are numbered from 1; `buffered` results still wait there."""

    region: str
    prober: str
    sequence: int
    sent_at: datetime
    buffered: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class CheckHour:
    """How the runs of one check from one region went within one hour; `start` is its first moment."""

    kind: CheckKind
    check: str
    region: str
    start: datetime
    ok: int
    failed: int
    fault: int
    seconds: float  # of the runs that were ok, added up


@dataclass(frozen=True, slots=True)
class RunTimes:
    """How long all runs of one check from one region took that were ok; `last_at`: when the newest run began.

    `counts` are those within each of RUN_SECONDS and above the one before, and last those above all; not cumulative.
    """

    kind: CheckKind
    check: str
    region: str
    last_at: datetime
    counts: tuple[int, ...]
