"""How mistakes in documents about alerts are noted, and what the names of those documents may be."""

import re
from collections.abc import Collection
from typing import Final

from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document, did_you_mean

MAX_NAME: Final = 63
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Report:
    """Problems of a document in the order in which they are told; `rule` is that of those without one."""

    def __init__(self, document: Document, rule: str) -> None:
        self.document: Final = document
        self.problems: Final[list[Problem]] = []
        self._rule = rule

    def error(self, *path: str | int, message: str, hint: str = "", rule: str = "", on_key: bool = False) -> None:
        """The document cannot be used."""
        self._add(path, message, hint, rule or self._rule, severity=Severity.ERROR, on_key=on_key)

    def warning(self, *path: str | int, message: str, hint: str = "", rule: str = "", on_key: bool = False) -> None:
        """It can be used, and should be looked at."""
        self._add(path, message, hint, rule or self._rule, severity=Severity.WARNING, on_key=on_key)

    def unknown(self, *path: str | int, what: str, name: str, known: Collection[str], rule: str = "") -> None:
        """A name that nothing has; `what` says of what kind it should be."""
        meant = did_you_mean(name, known)
        message = f"there is no {what} `{name[:80]}`" + (f", did you mean `{meant}`?" if meant else "")
        shown = f"declared: {', '.join(sorted(known))}" if known else f"no {what} is declared"
        self.error(*path, message=message, hint="" if meant else shown, rule=rule)

    def check_name(self, name: str, *path: str | int) -> None:
        """Report what is no name: 1–63 lower-case letters, digits and `-`. It stands at `metadata.name`, or `path`."""
        at = path or ("metadata", "name")
        if len(name) > MAX_NAME:
            message = f"has {len(name)} characters, at most {MAX_NAME} are allowed"
            self.error(*at, message=message, hint="shorten it", rule="metadata")
        elif not _NAME.fullmatch(name):
            meant = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
            rule = "lower-case letters, digits and `-`, beginning and ending with one of the former"
            message = f"`{name}` is not a name: {rule}"
            self.error(*at, message=message, hint=f"for example `{meant}`" if meant else "", rule="metadata")

    @property
    def has_errors(self) -> bool:
        """Whether the document cannot be used."""
        return has_errors(self.problems)

    def _add(
        self, path: tuple[str | int, ...], message: str, hint: str, rule: str, *, severity: Severity, on_key: bool
    ) -> None:
        self.problems.append(
            self.document.problem(*path, message=message, hint=hint, rule=rule, on_key=on_key, severity=severity)
        )
