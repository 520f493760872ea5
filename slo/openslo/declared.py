"""Documents that others refer to by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, did_you_mean
from slo import metadata
from slo.openslo.spec import Metadata

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Declared(Generic[Model]):
    """All documents of one kind, by name. `may_be_declared`: whether one that could not be read has a name."""

    kind: str
    by_name: dict[str, tuple[Document, Model]]
    problems: tuple[Problem, ...]  # bad metadata, and names taken twice
    may_be_declared: Callable[[str], bool]

    def missing(
        self, document: Document, *path: str | int, name: str, hint: str, severity: Severity = Severity.ERROR
    ) -> list[Problem]:
        """What to say of a reference to a name that is not there; nothing if a broken document may carry it."""
        if self.may_be_declared(name):
            return []
        meant = did_you_mean(name, self.by_name)
        message = f"no {self.kind} is named `{name[:80]}`" + (f", did you mean `{meant}`?" if meant else "")
        return [
            document.problem(
                *path, message=message, hint="" if meant else hint, severity=severity, rule="unknown-reference"
            )
        ]


def declared(
    documents: Sequence[Document], model: type[Model], may_be_declared: Callable[[str], bool]
) -> Declared[Model]:
    """The documents of a kind."""
    found: dict[str, tuple[Document, Model]] = {}
    problems: list[Problem] = []
    kind = model.__name__.removesuffix("Document")
    for document in documents:
        value = document.value
        if not isinstance(value, model):
            continue
        about = _metadata(value)
        problems.extend(metadata.checked(document, about).problems)
        if about.name in found:
            first = found[about.name][0].position_of("metadata", "name")
            message = f"the name `{about.name}` is taken by another {kind}"
            problems.append(
                document.problem(
                    "metadata",
                    "name",
                    message=message,
                    severity=document.kind.repeated,
                    hint=f"first used at {first}",
                    rule="duplicate-name",
                )
            )
        else:
            found[about.name] = (document, value)
    return Declared(kind, found, tuple(problems), may_be_declared)


def _metadata(value: BaseModel) -> Metadata:
    about = getattr(value, "metadata", None)
    assert isinstance(about, Metadata)  # every kind of OpenSLO has it
    return about
