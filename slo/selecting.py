"""Which SLOs a document speaks about: by name, service and label, in whatever dialect those are written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from controlplane.model.slo import SLO
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, did_you_mean

RULE: Final = "selection"
_GLOB: Final = "*?["  # characters that make a name a pattern
_COMPARED: Final = 2_000  # names among which the one that was meant is looked for: each costs some microseconds

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Selection(BaseModel):
    """The SLOs that fit everything that is given here. Patterns: `*` any characters, `?` one, `[ab]` one of these."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    slos: list[Pattern] = Field(default_factory=list, description="Names or patterns of SLOs; any of them.")
    services: list[Pattern] = Field(default_factory=list, description="Names or patterns of services; any of them.")
    labels: dict[str, Pattern] = Field(
        default_factory=dict, description="Labels and their values or patterns; all of them."
    )
    every: bool = Field(False, alias="all", description="true: every SLO of the workspace.")

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not (self.slos or self.services or self.labels or self.every)

    def fits(self, slo: SLO) -> bool:
        """Whether it selects the SLO. An empty selection selects none."""
        if self.is_empty:
            return False
        labels = dict(slo.labels)
        return (
            (not self.slos or _any_fits(self.slos, slo.name))
            and (not self.services or _any_fits(self.services, slo.service))
            and all(name in labels and fnmatchcase(labels[name], value) for name, value in self.labels.items())
        )


def selected(selection: Selection, slos: Iterable[SLO]) -> tuple[SLO, ...]:
    """The SLOs that it selects, in their order."""
    return tuple(slo for slo in slos if selection.fits(slo))


def selection_problems(
    document: Document,
    path: Sequence[str | int],
    selection: Selection,
    slos: Sequence[SLO],
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> Iterator[Problem]:
    """What is wrong with the selection that stands at `path` of a document: empty, at odds with itself, or in vain.

    A name that no SLO has is a warning at its place. `may_be_declared` tells whether a document that could not be read
    may carry a name.
    """
    if selection.is_empty:
        message = "selects nothing"
        hint = "name slos:, services: or labels:, or write all: true"
        yield document.problem(*path, message=message, hint=hint, rule=RULE, on_key=True)
        return
    if selection.every and (selection.slos or selection.services or selection.labels):
        message = "all: true next to a choice"
        hint = "remove all:, or slos:, services: and labels:"
        yield document.problem(*path, "all", message=message, hint=hint, rule=RULE, on_key=True)
    unknown = [*_unknown_names(document, path, selection, slos, may_be_declared)]
    yield from unknown
    if not unknown and not any(selection.fits(slo) for slo in slos):
        message = "no SLO fits all of this" if slos else "there is no SLO to select"
        yield document.problem(*path, message=message, severity=Severity.WARNING, rule=RULE, on_key=True)


def _unknown_names(
    document: Document,
    path: Sequence[str | int],
    selection: Selection,
    slos: Sequence[SLO],
    may_be_declared: Callable[[str], bool],
) -> Iterator[Problem]:
    values: Mapping[str, dict[str, None]] = {name: {} for name in selection.labels}
    for slo in slos:
        for label, value in slo.labels:
            if label in values:
                values[label][value] = None
    labels = dict.fromkeys(label for slo in slos for label, _ in slo.labels)
    for key, written, known, what in (
        ("slos", selection.slos, dict.fromkeys(slo.name for slo in slos), "SLO"),
        ("services", selection.services, dict.fromkeys(slo.service for slo in slos), "service of an SLO"),
    ):
        for index, pattern in enumerate(written):
            if any(fnmatchcase(name, pattern) for name in known) or may_be_declared(pattern):
                continue
            yield _nothing(document, (*path, key, index), (pattern, f"no {what}"), known)
    for label, pattern in selection.labels.items():
        if label not in labels:
            yield _nothing(document, (*path, "labels", label), (label, "no label of an SLO"), labels, on_key=True)
        elif not any(fnmatchcase(value, pattern) for value in values[label]):
            yield _nothing(document, (*path, "labels", label), (pattern, f"no {label} of an SLO"), values[label])


def _nothing(
    document: Document,
    path: Sequence[str | int],
    written: tuple[str, str],
    known: Iterable[str],
    on_key: bool = False,
) -> Problem:
    text, none = written
    if any(character in text for character in _GLOB):
        message = f"{none} fits `{text}`"
    else:
        meant = did_you_mean(text, islice(known, _COMPARED))
        message = f"{none} is named `{text}`" + (f", did you mean `{meant}`?" if meant else "")
    return document.problem(*path, message=message, severity=Severity.WARNING, rule=RULE, on_key=on_key)


def _any_fits(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
