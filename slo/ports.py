"""What applying rules needs from the outside."""

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from controlplane.model.event import Event
from controlplane.model.generation import Generation, GoodCopy, TextFile
from controlplane.model.rule import RuleFile
from controlplane.model.slo import SLO
from controlplane.problems import Problem


class RuleFolder(Protocol):
    """A folder from which the rule engine reads one generation of files, switched as a whole.

    A copy of a generation is named by its id, followed by a number when an earlier copy was damaged. Every change
    survives a crash of the machine once the method has returned; a crash before that leaves what was there.
    Raises `Transient` (disk full, another process is applying) or `Permanent` (no permission, not a folder of ours).
    """

    @property
    def rule_files(self) -> str:
        """The pattern that the engine must read, an absolute glob."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other processes from applying meanwhile; the kernel ends it when we die."""
        ...

    def write(self, generation: Generation) -> str:
        """Store all of its files and return the copy; a whole copy that is there already is left alone."""
        ...

    def read(self, copy: str) -> tuple[TextFile, ...]:
        """Its files as they stand on disk, sorted by name; empty when it is not there."""
        ...

    def switch(self, copy: str) -> None:
        """Let the engine's pattern point to it."""
        ...

    def current(self) -> str | None:
        """The copy to which the pattern points, None when there is none."""
        ...

    def mark_good(self, copy: str) -> None:
        """Remember that it was verified to run."""
        ...

    def last_good(self) -> GoodCopy | None:
        """The one marked last, None before the first."""
        ...

    def prune(self, keep: int) -> None:
        """Remove what crashes left, and all but the current, the last good and the `keep` latest copies."""
        ...


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the files of a workspace mean. `digest` tells their content from any other.

    `manifest` is kept beside the rules that run, for plans (`slo.manifest`), and so are `records`: what other features
    made their rules from. With errors among the problems, the rest is not to be used.
    """

    digest: str
    files: tuple[RuleFile, ...]
    slos: tuple[SLO, ...] = ()
    problems: tuple[Problem, ...] = ()
    dashboards: tuple[TextFile, ...] = ()
    manifest: TextFile | None = None
    records: tuple[TextFile, ...] = ()


class Workspace(Protocol):
    """The directory of YAML files that users edit."""

    def fingerprint(self) -> Hashable:
        """A value that changes whenever a file does; cheap enough for every two seconds."""
        ...

    def compile(self) -> Compiled:
        """Read and compile all files. Mistakes in them are problems, never exceptions."""
        ...


class DashboardFolder(Protocol):
    """Where dashboards are picked up. Errors as in `RuleFolder`."""

    def publish(self, files: Sequence[TextFile]) -> int:
        """Make these the only ones of ours there; the number of files that changed."""
        ...


class Journal(Protocol):
    """Where decisions are kept: the event log and the audit log, together."""

    def write(self, event: Event) -> bool:
        """Append it to both in one transaction; False, changing nothing, when an event with this id is there.

        Raises `Transient` when the store is unreachable and `LeaseLost` when another replica leads now.
        """
        ...
