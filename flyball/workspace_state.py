"""What this replica knows of the users' files, leading or not; shared by the SLO daemon and the console."""

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from controlplane.model.slo import SLO
from controlplane.ports import Clock, MetricsBackend, Store
from controlplane.problems import Problem, Severity, has_errors
from flyball.money.declared import NOTHING, MoneyDeclared
from flyball.telemetry import Metrics
from slo.ports import Compiled, Workspace


class CompiledOnce:
    """A workspace that compiles the same files only once, however many ask. Implements `slo.ports.Workspace`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._look: Hashable = None
        self._compiled: Compiled | None = None

    def fingerprint(self) -> Hashable:
        """As the workspace has it."""
        return self._workspace.fingerprint()

    def compile(self) -> Compiled:
        """What the files mean now."""
        with self._lock:
            look = self._workspace.fingerprint()
            if self._compiled is None or look != self._look:
                self._compiled, self._look = self._workspace.compile(), look
            return self._compiled


@dataclass(frozen=True, slots=True)
class FilesRead:
    """One look at the files; `changed` when they are not what they were at the last look."""

    changed: bool
    slos: int
    problems: int


class WorkspaceState:
    """The last good SLOs and the problems of the files as they stand. Implements the console's `ConsoleState`.

    `sources` gives the files as they stand, by path, to show problems in; `money` what the last good ones say of it.
    """

    def __init__(
        self,
        workspace: CompiledOnce,
        *,
        store: Store,
        backend: MetricsBackend,
        clock: Clock,
        own_metrics: Metrics,
        sources: Callable[[], Mapping[str, bytes]],
        money: Callable[[], MoneyDeclared] = lambda: NOTHING,
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._backend = backend
        self._clock = clock
        self._own_metrics = own_metrics
        self.sources = sources
        self.money = money
        self._lock = threading.Lock()
        self._compiled: Compiled | None = None
        self._slos: tuple[SLO, ...] = ()

    @property
    def metrics(self) -> MetricsBackend:
        """Where our rules are evaluated."""
        return self._backend

    @property
    def store(self) -> Store:
        """The database."""
        return self._store

    @property
    def clock(self) -> Clock:
        """The time."""
        return self._clock

    @property
    def is_compiled(self) -> bool:
        """Whether the files have been read at all."""
        return self._compiled is not None

    def slos(self) -> Sequence[SLO]:
        """Those of the last good files."""
        with self._lock:
            return self._slos

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files as they stand."""
        with self._lock:
            return self._compiled.problems if self._compiled else ()

    def refresh(self) -> FilesRead:
        """Look at the files again. Mistakes keep the last good SLOs."""
        compiled = self._workspace.compile()
        with self._lock:
            changed = compiled is not self._compiled
            self._compiled = compiled
            if not has_errors(compiled.problems):
                self._slos = compiled.slos
        found = Counter(problem.severity for problem in compiled.problems)
        for severity in Severity:
            self._own_metrics.spec_problems.labels(severity.value).set(found[severity])
        return FilesRead(changed, len(self.slos()), len(compiled.problems))
