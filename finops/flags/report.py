"""What is wrong with one document, as it is found."""

from collections.abc import Collection
from typing import Final

from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document, did_you_mean


class Report:
    """Problems of a document in the order in which they are told; `rule` is that of those without one."""

    def __init__(self, document: Document, rule: str) -> None:
        self.document: Final = document
        self.problems: Final[list[Problem]] = []
        self._rule = rule

    def error(self, *path: str | int, message: str, hint: str = "", rule: str = "", on_key: bool = False) -> None:
        """The file cannot be used."""
        self.problems.append(
            self.document.problem(*path, message=message, hint=hint, rule=rule or self._rule, on_key=on_key)
        )

    def warning(self, *path: str | int, message: str, hint: str = "", rule: str = "", on_key: bool = False) -> None:
        """It can be used, and should be looked at."""
        severity, rule = Severity.WARNING, rule or self._rule
        self.problems.append(
            self.document.problem(*path, message=message, hint=hint, rule=rule, on_key=on_key, severity=severity)
        )

    def unknown(
        self, *path: str | int, what: str, name: str, known: Collection[str], hint: str, rule: str = "", on_key: bool
    ) -> None:
        """A name that nothing has. `what` says of what kind it is; `hint` is said when there is none at all."""
        meant = did_you_mean(name, known)
        message = f"there is no {what} `{name[:80]}`" + (f", did you mean `{meant}`?" if meant else "")
        shown = f"declared: {', '.join(sorted(known))}" if known else hint
        self.error(*path, message=message, hint="" if meant else shown, rule=rule, on_key=on_key)

    @property
    def has_errors(self) -> bool:
        """Whether the file cannot be used."""
        return has_errors(self.problems)
