"""How mistakes in a page's file are noted."""

from typing import Final

from controlplane.problems import Problem, Severity
from controlplane.specfile import Document

RULE: Final = "status-page"


class Report:
    """The problems of one document, in the order in which they were found."""

    def __init__(self, document: Document) -> None:
        self.problems: Final[list[Problem]] = []
        self._document = document

    def error(self, *path: str | int, message: str, hint: str = "", on_key: bool = False) -> None:
        """What makes the page unusable."""
        self._add(*path, message=message, hint=hint, severity=Severity.ERROR, on_key=on_key)

    def warning(self, *path: str | int, message: str, hint: str = "", on_key: bool = False) -> None:
        """What is probably not meant."""
        self._add(*path, message=message, hint=hint, severity=Severity.WARNING, on_key=on_key)

    @property
    def has_errors(self) -> bool:
        """Whether the page is unusable."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def _add(self, *path: str | int, message: str, hint: str, severity: Severity, on_key: bool) -> None:
        problem = self._document.problem(*path, message=message, hint=hint, severity=severity, rule=RULE, on_key=on_key)
        self.problems.append(problem)
