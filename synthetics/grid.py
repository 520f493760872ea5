"""Checks from outside as a table of checks × regions: what each region sees, and what all of them make of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.check import (
    CheckKind,
    CheckResult,
    Outcome,
    RegionContact,
    RegionState,
    RegionVerdict,
    Verdict,
    VerdictKind,
)

BARS: Final = 12  # latest runs that a cell draws
LEAST_HEIGHT: Final = 0.08  # of a bar: a fast run is still there
STATE_WORDS: Final[Mapping[RegionState, str]] = {
    RegionState.UP: "up",
    RegionState.DOWN: "down",
    RegionState.FLAPPING: "flapping",
    RegionState.FAULT: "prober fault",
    RegionState.SILENT: "silent",
    RegionState.PENDING: "not run yet",
}
VERDICT_WORDS: Final[Mapping[VerdictKind, str]] = {
    VerdictKind.UP: "up",
    VerdictKind.REGIONAL: "regional",
    VerdictKind.GLOBAL: "global outage",
    VerdictKind.UNKNOWN: "not known",
}
_RANKS: Final = (VerdictKind.GLOBAL, VerdictKind.REGIONAL, VerdictKind.UNKNOWN, VerdictKind.UP)


@dataclass(frozen=True, slots=True)
class DeclaredCheck:
    """A probe or journey as it is written; `regions` empty: in every region. `source` is file and line."""

    name: str
    kind: CheckKind
    title: str
    every: timedelta
    regions: frozenset[str] = frozenset()
    target: str = ""
    source: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """As that of its verdict."""
        return self.kind.value, self.name

    def runs_in(self, region: str) -> bool:
        """Whether it is meant to run there."""
        return not self.regions or region in self.regions


@dataclass(frozen=True, slots=True)
class DeclaredRegion:
    """A place that checks run from; it is silent when nothing was heard for `silent_after`."""

    name: str
    title: str
    silent_after: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Observed:
    """What the log of checks holds: `latest` results of every check and region, oldest first."""

    latest: Sequence[CheckResult] = ()
    verdicts: Sequence[Verdict] = ()
    contacts: Sequence[RegionContact] = ()


@dataclass(frozen=True, slots=True)
class RunBar:
    """One run: how long it took, as a share of the row's longest; failed runs have the full height."""

    result: CheckResult
    height: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One check in one region; `state` is None where the check is not meant to run."""

    region: str
    state: RegionState | None
    since: datetime | None = None
    detail: str = ""
    latest: CheckResult | None = None
    bars: tuple[RunBar, ...] = ()

    @property
    def kind(self) -> str:
        """For shapes and styles."""
        return self.state.value if self.state else "elsewhere"

    @property
    def word(self) -> str:
        """For people."""
        return STATE_WORDS[self.state] if self.state else "not run here"


@dataclass(frozen=True, slots=True)
class Row:
    """One check in all regions; `verdict` is None before the first."""

    check: DeclaredCheck
    verdict: Verdict | None
    cells: tuple[Cell, ...]

    @property
    def is_pending(self) -> bool:
        """Whether it was run nowhere yet."""
        return self.verdict is None or all(it.state is RegionState.PENDING for it in self.verdict.regions)

    @property
    def kind(self) -> str:
        """For shapes and styles: the verdict, or `flapping`, or `pending`."""
        if self.verdict is None or self.is_pending:
            return RegionState.PENDING.value
        return RegionState.FLAPPING.value if self.verdict.flapping else self.verdict.kind.value

    @property
    def word(self) -> str:
        """For people."""
        if self.verdict is None or self.is_pending:
            return STATE_WORDS[RegionState.PENDING]
        return STATE_WORDS[RegionState.FLAPPING] if self.verdict.flapping else VERDICT_WORDS[self.verdict.kind]

    @property
    def sentence(self) -> str:
        """What regions say, those that are well only where others are not."""
        return "" if self.verdict is None or self.is_pending else sentence(self.verdict)

    @property
    def rank(self) -> tuple[int, int, str]:
        """Worst first, then by name."""
        if self.verdict is None or self.is_pending:
            return len(_RANKS), 0, self.check.name
        return _RANKS.index(self.verdict.kind), 0 if self.verdict.flapping else 1, self.check.name


@dataclass(frozen=True, slots=True)
class RegionHead:
    """What is known of a region itself. `self_check` is its latest run against a target that is known to be good."""

    region: DeclaredRegion
    contact: RegionContact | None
    self_check: CheckResult | None
    is_silent: bool

    @property
    def kind(self) -> str:
        """For shapes and styles."""
        return self.state.value

    @property
    def state(self) -> RegionState:
        """Of the prober, not of what it looks at."""
        if self.contact is None:
            return RegionState.PENDING
        if self.is_silent:
            return RegionState.SILENT
        faulty = self.self_check is not None and self.self_check.outcome is not Outcome.OK
        return RegionState.FAULT if faulty else RegionState.UP

    @property
    def word(self) -> str:
        """For people."""
        words = {RegionState.PENDING: "not heard yet", RegionState.UP: "reports"}
        return words.get(self.state) or STATE_WORDS[self.state]


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole table."""

    regions: tuple[RegionHead, ...]
    probes: tuple[Row, ...]
    journeys: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Of both kinds."""
        return (*self.probes, *self.journeys)

    def row(self, kind: CheckKind, name: str) -> Row | None:
        """One of them."""
        return next((row for row in self.rows if row.check.key == (kind.value, name)), None)


def grid(
    checks: Iterable[DeclaredCheck], regions: Sequence[DeclaredRegion], seen: Observed, now: datetime
) -> Grid:  # fmt: skip
    """Every declared check, worst first within its kind; columns: the declared regions, then others that reported."""
    columns = _columns(regions, seen)
    runs = _by_place(seen.latest)
    verdicts = {verdict.key: verdict for verdict in seen.verdicts}
    rows = sorted(
        (_row(check, verdicts.get(check.key), columns, runs) for check in checks), key=lambda row: row.rank
    )  # fmt: skip
    return Grid(
        tuple(_head(region, seen.contacts, runs, now) for region in columns),
        tuple(row for row in rows if row.check.kind is CheckKind.PROBE),
        tuple(row for row in rows if row.check.kind is CheckKind.JOURNEY),
    )


def sentence(verdict: Verdict) -> str:
    """`Down in us: connection reset. Silent: ap. Up: eu.` — worst first; nothing when every region is up."""
    parts = []
    for state in (RegionState.DOWN, RegionState.FLAPPING, RegionState.FAULT, RegionState.SILENT, RegionState.PENDING):
        there = [it for it in verdict.regions if it.state is state]
        if there:
            parts.append(f"{STATE_WORDS[state].capitalize()}: {', '.join(it.region for it in there)}{_why(there)}")
    well = [it.region for it in verdict.regions if it.state is RegionState.UP]
    return ". ".join([*parts, *([f"Up: {', '.join(well)}"] if well and parts else [])])


def _why(there: Sequence[RegionVerdict]) -> str:
    """The reason, where all that are in the state give the same."""
    reasons = {it.detail.rstrip(".") for it in there}
    return f" ({reasons.pop()})" if len(reasons) == 1 and all(reasons) else ""


_Places = Mapping[tuple[str, str, str], Sequence[CheckResult]]


def _by_place(results: Iterable[CheckResult]) -> _Places:
    found: dict[tuple[str, str, str], list[CheckResult]] = {}
    for result in results:
        found.setdefault((result.kind.value, result.check, result.region), []).append(result)
    return found


def _columns(regions: Sequence[DeclaredRegion], seen: Observed) -> list[DeclaredRegion]:
    named = {region.name for region in regions}
    others = {contact.region for contact in seen.contacts} | {result.region for result in seen.latest}
    return [*regions, *(DeclaredRegion(name, name) for name in sorted(others - named))]


def _row(check: DeclaredCheck, verdict: Verdict | None, columns: Sequence[DeclaredRegion], runs: _Places) -> Row:
    told = {it.region: it for it in verdict.regions} if verdict else {}
    here = {region.name: runs.get((*check.key, region.name), ())[-BARS:] for region in columns}
    longest = max((it.duration_seconds for results in here.values() for it in results), default=0.0)
    return Row(
        check,
        verdict,
        tuple(_cell(check, region.name, told.get(region.name), here[region.name], longest) for region in columns),
    )


def _cell(
    check: DeclaredCheck,
    region: str,
    told: RegionVerdict | None,
    results: Sequence[CheckResult],
    longest: float,
) -> Cell:
    if told is None and not check.runs_in(region):
        return Cell(region, None)
    state = told.state if told else RegionState.PENDING
    since, detail = (told.since, told.detail) if told else (None, "")
    latest = results[-1] if results else None
    return Cell(region, state, since, detail, latest, tuple(_bar(result, longest) for result in results))


def _bar(result: CheckResult, longest: float) -> RunBar:
    share = result.duration_seconds / longest if longest > 0 else 0.0
    return RunBar(result, 1.0 if result.outcome is not Outcome.OK else max(share, LEAST_HEIGHT))


def _head(
    region: DeclaredRegion, contacts: Sequence[RegionContact], runs: _Places, now: datetime
) -> RegionHead:  # fmt: skip
    contact = next((it for it in contacts if it.region == region.name), None)
    checked = runs.get((CheckKind.SELF_CHECK.value, region.name, region.name), ())
    silent = contact is not None and now - contact.reported_at > region.silent_after
    return RegionHead(region, contact, checked[-1] if checked else None, silent)
