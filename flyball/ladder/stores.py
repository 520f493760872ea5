"""The flag stores of the last good files, kept open. Implements `finops.flags.ports.OpenStore`."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from controlplane.ports import Clock, Permanent
from finops.flags.adapters.memory import MemoryFlags
from finops.flags.adapters.opening import Opened, open_declared
from finops.flags.model import DeclaredStore
from flyball.settings import secrets_of


def secret_names(store: DeclaredStore) -> frozenset[str]:
    """Variables that a FlagStore document names."""
    return frozenset(value for key, value in store.options if key.endswith("From") and value)


class DeclaredStores:
    """One connection for each store while its document does not change. Safe between threads."""

    def __init__(self, declared: Callable[[], Sequence[DeclaredStore]], folder: Path, clock: Clock) -> None:
        self._declared = declared
        self._folder = folder
        self._clock = clock
        self._memory: dict[str, MemoryFlags] = {}
        self._open: dict[str, tuple[DeclaredStore, Opened]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, name: str) -> Iterator[Opened]:
        """The store of that name. Raises `Permanent` when it is not declared or lacks a secret."""
        yield self._opened(name)

    def declared(self) -> Sequence[DeclaredStore]:
        """Those of the last good files."""
        return self._declared()

    def close(self) -> None:
        """Give back every connection."""
        with self._lock:
            for _, opened in self._open.values():
                opened.close()
            self._open.clear()

    def _opened(self, name: str) -> Opened:
        store = next((each for each in self._declared() if each.name == name), None)
        if store is None:
            raise Permanent(f"no FlagStore `{name}` is declared")
        with self._lock:
            known = self._open.get(name)
            if known is not None and known[0] == store:
                return known[1]
            if known is not None:
                known[1].close()
            opened = open_declared(
                store,
                folder=self._folder,
                variables=secrets_of(secret_names(store)),
                clock=self._clock,
                memory=self._memory,
            )
            self._open[name] = (store, opened)
            return opened
