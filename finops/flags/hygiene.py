"""Whether flags are still needed: owner, expiry, last evaluation, who uses them, and which are stale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import Final

from controlplane.model.ladder import FlagValue
from finops.flags.comparing import same
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagEdit, FlagState, FlagUse

UNUSED_FOR: Final = timedelta(days=30)
UNCHANGED_FOR: Final = timedelta(days=90)


class Finding(Enum):
    """What is wrong with a flag; the value says it in one word."""

    MISSING = "missing"  # it is declared, and its store has no such flag
    ARCHIVED = "archived"  # the store has put it away
    EXPIRED = "expired"  # it should be gone since a day
    UNUSED = "unused"  # no application asked for it for long
    NO_LADDER = "no ladder"  # no tier of any ladder sets it
    LEFT_ON = "left on"  # it is not at its normal value for long
    SAME = "same"  # no ladder sets it, and it has had one value for long: the code can have that value


@dataclass(frozen=True, slots=True)
class FlagReport:
    """One declared flag. `changed_at` is None where the store keeps no history, or none that old.

    `used_by` names the tiers that set it, such as `intelgraph 3`. `fault` says why the store told nothing.
    """

    store: str
    flag: DeclaredFlag
    value: FlagValue | None
    use: FlagUse
    changed_at: datetime | None
    used_by: tuple[str, ...]
    findings: tuple[Finding, ...]
    fault: str = ""

    @property
    def is_normal(self) -> bool:
        """Whether it gives full service; a flag that is not there does."""
        return self.value is None or same(self.value, self.flag.normal)

    @property
    def is_stale(self) -> bool:
        """Whether somebody should retire or mend it. A flag of a ladder that is always normal is as it should be."""
        return bool(self.findings)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a store tells of its flags now. Of those in `faults` nothing is known, for the reason that stands there."""

    states: Mapping[str, FlagState]
    uses: Mapping[str, FlagUse]
    edits: Mapping[str, Sequence[FlagEdit]]
    tells_evaluations: bool = False
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a flag counts as unused, and as unchanged."""

    unused_for: timedelta = UNUSED_FOR
    unchanged_for: timedelta = UNCHANGED_FOR


def examine(
    store: DeclaredStore, seen: Seen, used_by: Mapping[str, Sequence[str]], *, now: datetime, limits: Limits
) -> list[FlagReport]:
    """Every flag of the store's allow-list, in its order. Missing knowledge is no finding."""
    return [_report(store, flag, seen, tuple(used_by.get(flag.name, ())), now, limits) for flag in store.flags]


def _report(
    store: DeclaredStore, flag: DeclaredFlag, seen: Seen, used_by: tuple[str, ...], now: datetime, limits: Limits
) -> FlagReport:
    state = seen.states.get(flag.name, FlagState(flag.name, None))
    use = seen.uses.get(flag.name, FlagUse(flag.name))
    edits = seen.edits.get(flag.name, ())
    changed_at = max((edit.at for edit in edits), default=None)
    fault = seen.faults.get(flag.name, "")
    report = FlagReport(store.name, flag, state.value, use, changed_at, used_by, (), fault)
    found = [
        (Finding.EXPIRED, flag.expires is not None and _end_of(flag) <= now),
        (Finding.NO_LADDER, not used_by),
    ]
    if not fault:
        found += _of_store(report, seen, now, limits)
    return replace(report, findings=tuple(finding for finding, holds in found if holds))


def _of_store(report: FlagReport, seen: Seen, now: datetime, limits: Limits) -> list[tuple[Finding, bool]]:
    is_gone = report.use.is_archived or report.value is None
    since = report.changed_at or report.use.created_at
    is_unchanged = since is not None and now - since > limits.unchanged_for
    last = report.use.last_evaluated or report.use.created_at
    is_unused = seen.tells_evaluations and last is not None and now - last > limits.unused_for
    return [
        (Finding.ARCHIVED, report.use.is_archived),
        (Finding.MISSING, is_gone and not report.use.is_archived),
        (Finding.UNUSED, not is_gone and is_unused),
        (Finding.LEFT_ON, not is_gone and not report.is_normal and is_unchanged),
        (Finding.SAME, not is_gone and report.is_normal and is_unchanged and not report.used_by),
    ]


def _end_of(flag: DeclaredFlag) -> datetime:
    """The moment after the last day on which it may be there."""
    assert flag.expires is not None
    return datetime.combine(flag.expires, time(), UTC) + timedelta(days=1)
