"""How bad an alert is, by its labels."""

from collections.abc import Mapping
from typing import Final

from controlplane import conventions as names
from controlplane.incident_names import PRIORITY, SEVERITY_NONE
from controlplane.model.incident import Priority

OF_SEVERITY: Final[Mapping[str, Priority]] = {
    **{each.value.lower(): each for each in Priority},
    names.SEVERITY_PAGE: Priority.P1,
    "critical": Priority.P1,
    "error": Priority.P2,
    names.SEVERITY_TICKET: Priority.P3,
    "warning": Priority.P3,
    names.SEVERITY_INFO: Priority.P4,
    SEVERITY_NONE: Priority.P4,
}
UNSAID: Final = Priority.P3


def priority_of(labels: Mapping[str, str]) -> Priority:
    """By the label `priority` (P0 … P4), else by `severity`; P3 where neither says anything that is known."""
    return explained_priority(labels)[0]


def explained_priority(labels: Mapping[str, str]) -> tuple[Priority, str]:
    """The same, and why: `the label severity is page`."""
    written = labels.get(PRIORITY, "").strip().upper()
    if written in Priority.__members__:
        return Priority[written], f"the label {PRIORITY} is {written}"
    severity = labels.get(names.SEVERITY, "")
    found = OF_SEVERITY.get(severity.strip().lower())
    if found is not None:
        return found, f"the label {names.SEVERITY} is {severity}"
    return UNSAID, f"the label {names.SEVERITY} says nothing that is known" if severity else "no label says it"
