"""Flags that steps of runbooks name: whether a FlagStore has them, and whether they take the value."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from alerts.reporting import Report
from alerts.runbooks.declared import RULE
from alerts.runbooks.spec import FlagStepPart, RunbookDocument
from controlplane.problems import Problem
from controlplane.specfile import Document

Takes = Callable[[str], str]
"""Why a flag does not take a value, given as text; empty when it does."""


def flag_problems(
    documents: Sequence[Document],
    flags: Mapping[str, Mapping[str, Takes]],
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> Iterator[Problem]:
    """Of each step that sets a flag. `flags`: by store and flag, what values it takes.

    `may_be_declared`: whether a document that was not read may have this name.
    """
    for document in documents:
        if not isinstance(document.value, RunbookDocument):
            continue
        report = Report(document, RULE)
        for number, step in enumerate(document.value.spec.steps):
            if step.flag is not None:
                _check(report, step.flag, number, flags, may_be_declared)
        yield from report.problems


def _check(
    report: Report,
    part: FlagStepPart,
    number: int,
    flags: Mapping[str, Mapping[str, Takes]],
    may_be_declared: Callable[[str], bool],
) -> None:
    at = ("spec", "steps", number, "flag")
    if part.store not in flags:
        if not may_be_declared(part.store):
            report.unknown(*at, "store", what="FlagStore", name=part.store, known=flags)
        return
    takes = flags[part.store].get(part.flag)
    if takes is None:
        report.unknown(*at, "flag", what=f"flag of FlagStore {part.store}", name=part.flag, known=flags[part.store])
        return
    value = str(part.value).lower() if isinstance(part.value, bool) else part.value
    if why := takes(value):
        report.error(*at, "value", message=why)
