"""How mistakes in a Repository are noted."""

from typing import Final

from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document

RULE: Final = "repository"


class Faults:
    """Problems of a document, in the order in which they are found."""

    def __init__(self, document: Document) -> None:
        self.document: Final = document
        self.problems: Final[list[Problem]] = []

    def error(self, *path: str | int, message: str, hint: str = "", rule: str = RULE, on_key: bool = False) -> None:
        """The document cannot be used."""
        found = self.document.problem(*path, message=message, hint=hint, rule=rule, on_key=on_key)
        self.problems.append(found)

    def warning(self, *path: str | int, message: str, hint: str = "", on_key: bool = False) -> None:
        """It can be used, and should be looked at."""
        found = self.document.problem(
            *path, message=message, hint=hint, rule=RULE, on_key=on_key, severity=Severity.WARNING
        )
        self.problems.append(found)

    @property
    def has_errors(self) -> bool:
        """Whether the document cannot be used."""
        return has_errors(self.problems)
