"""What the pages about checks need from the process, beyond the console's state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from controlplane.model.check import CheckKind
from synthetics.grid import DeclaredCheck, DeclaredRegion


@dataclass(frozen=True, slots=True)
class CheckUser:
    """Who relies on a check: `what` is `golden path` or `component`, `path` a place in the console or empty."""

    what: str
    title: str
    path: str = ""


class ChecksState(Protocol):
    """The checks that are applied: those of the last good files. Safe to use from several threads."""

    def checks(self) -> Sequence[DeclaredCheck]:
        """Probes and journeys."""
        ...

    def regions(self) -> Sequence[DeclaredRegion]:
        """Where they run."""
        ...

    def users(self, kind: CheckKind, check: str) -> Sequence[CheckUser]:
        """Golden paths and components of status pages that rest on a check."""
        ...


@dataclass(frozen=True, slots=True)
class NoChecks:
    """A `ChecksState` without any."""

    def checks(self) -> Sequence[DeclaredCheck]:
        """None."""
        return ()

    def regions(self) -> Sequence[DeclaredRegion]:
        """None."""
        return ()

    def users(self, kind: CheckKind, check: str) -> Sequence[CheckUser]:
        """Nobody."""
        del kind, check
        return ()
