"""What flag stores and their clients do, as protocols. One contract suite holds every adapter to it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagUse, FlagWrite, WriteNote


class Conflict(Exception):
    """A flag is not as it was seen: somebody else changed it. Of an atomic store nothing was written.

    `flags` are those that differ, as far as they are known.
    """

    def __init__(self, message: str, flags: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.flags = tuple(flags)


class NotOneValue(Permanent):
    """The store has a flag, and it gives no one value of its type to everybody: somebody set it up otherwise."""


class FlagStore(Protocol):
    """Where flags are kept. Raises `Transient` when it does not answer now, `Permanent` when it refuses.

    Every call ends within 5 seconds, which is less than a lease lives: a request of a leader that died has ended before
    the next one leads. Messages of errors hold no secret.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """The present state of each, by name; value None for one that the store does not have.

        Raises `NotOneValue` when one of them does not have the same value for everybody.
        """
        ...

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """Set them, in order. Returns when the store has taken them, not when clients see them.

        Raises `Conflict` where the store (or the adapter, as near to the write as it can) finds one that is not as it
        was seen. What holds the value already is left alone. Nobody's other flags, variants or rules change.
        """
        ...

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """Changes since then, oldest first; empty where the store keeps none."""
        ...

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """When each was evaluated last; unknown where the store does not tell."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class FlagClient(Protocol):
    """Flags as an application sees them. Errors as of a store."""

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """What an application gets for each now; None for one that it does not know."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class OpenedStore(Protocol):
    """A store together with a client of it."""

    @property
    def store(self) -> FlagStore:
        """Where flags are written."""
        ...

    @property
    def client(self) -> FlagClient:
        """As an application would see them."""
        ...


class OpenStore(Protocol):
    """Opens a declared store by name. Raises `Permanent` when it is not declared or lacks a secret."""

    def __call__(self, name: str) -> AbstractContextManager[OpenedStore]:
        """Good until the block ends; connections may outlive it."""
        ...
