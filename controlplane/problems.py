"""Mistakes in users' files: one shape from the reader to the report."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from controlplane.model.source import SourcePosition


class Severity(Enum):
    """An error stops the file from being used; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place, and what to do.

    `field` is the path from the document's root (`spec.objectives[0].target`), empty when the text itself is at
    fault. `length` is the number of characters to underline. `rule` names the check, for docs and for silencing.
    `hint` says the way out when the message does not.
    """

    path: str
    line: int
    column: int
    field: str
    message: str
    severity: Severity = Severity.ERROR
    hint: str = ""
    rule: str = ""
    length: int = 1

    @property
    def position(self) -> SourcePosition:
        """Where it stands."""
        return SourcePosition(self.path, self.line, self.column)

    @staticmethod
    def at(
        position: SourcePosition,
        field: str,
        message: str,
        *,
        severity: Severity = Severity.ERROR,
        hint: str = "",
        rule: str = "",
        length: int = 1,
    ) -> "Problem":
        """A problem at a known position."""
        return Problem(position.path, position.line, position.column, field, message, severity, hint, rule, length)


SECRET: Final = "secret"  # noqa: S105 -- the rule of problems about a secret in a file: its line is not shown


def with_secrets(problems: Iterable[Problem]) -> frozenset[tuple[str, int]]:
    """Paths and lines that hold a secret, and must not get into a log of CI or onto a page."""
    return frozenset((problem.path, problem.line) for problem in problems if problem.rule == SECRET)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems as a reader meets them: by path, line and column, without repetitions."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.path, p.line, p.column, p.field, p.message))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them stops the files from being used."""
    return any(problem.severity is Severity.ERROR for problem in problems)
