"""What an import is asked for, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from controlplane.problems import Problem, has_errors
from finops.billed.ledger.partition import Imported

Report = Callable[[str, float | None], None]
"""Told what goes on, and the share of it that is done when that is known."""


def quiet(_what: str, _share: float | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How to import. `strict`: a value that would be left out refuses the import. `detect`: whose export it is follows
    from the manifests that lie there."""

    dry_run: bool = False
    strict: bool = False
    detect: bool = False


AS_USUAL: Final = Asked()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a source. With errors among the problems nothing was changed."""

    source: str
    imported: tuple[Imported, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether nothing was changed because of what is wrong."""
        return has_errors(self.problems)
