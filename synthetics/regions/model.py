"""Regions that probe, and the checks that they are to judge."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from controlplane.model.check import CheckKind
from controlplane.model.source import SourcePosition
from synthetics.checks import LOCAL_REGION
from synthetics.probes.model import Probe

SILENT_AFTER: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Region:
    """A place to probe from. `resolve` pins host:port to an address:port there, as curl's --resolve does.

    `self_check` asks a target that is known to be good; it bears the region's name. Without a report for
    `silent_after` the region is silent.
    """

    name: str
    display_name: str = ""
    location: str = ""
    self_check: Probe | None = None
    resolve: tuple[tuple[str, str], ...] = ()
    silent_after: timedelta = SILENT_AFTER
    source: SourcePosition | None = field(default=None, compare=False)

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.display_name or self.name


LOCAL: Final = Region(LOCAL_REGION)


@dataclass(frozen=True, slots=True)
class Watched:
    """A check whose verdict is wanted. `regions` empty: all. `down_regions` None: most of those that can tell."""

    name: str
    kind: CheckKind
    every: timedelta
    regions: frozenset[str] = frozenset()
    down_regions: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """As verdicts have it."""
        return self.kind.value, self.name


@dataclass(frozen=True, slots=True)
class Watch:
    """Everything that is to be judged. `regions` is never empty."""

    checks: tuple[Watched, ...] = ()
    regions: tuple[Region, ...] = (LOCAL,)
