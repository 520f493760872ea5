"""Labels and annotations of another tool's alerts as ours."""

import re
from collections.abc import Mapping
from dataclasses import replace

from controlplane import conventions as names
from controlplane.model.alerting import AlertText
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from slo.alert_templates import template_fault
from slo.metadata import prometheus_labels
from slo.policies.settings import ALERT_NAME, SEVERITY_VALUE

_Path = tuple[str | int, ...]


def alert_labels(
    document: Document, path: _Path, written: Mapping[str, str], problems: list[Problem]
) -> dict[str, str]:
    """Labels by names that Prometheus takes, `severity` among them."""
    others = {key: value for key, value in written.items() if key != names.SEVERITY}
    labels, faults = prometheus_labels(document, path, others, "alert")
    problems += [*faults, *_faults(document, path, written)]
    severity = written.get(names.SEVERITY)
    if severity and not SEVERITY_VALUE.fullmatch(severity):
        message = f"`{severity[:60]}` cannot be a severity: up to 60 characters, without spaces, quotes and brackets"
        problems.append(document.problem(*path, names.SEVERITY, message=message, rule="alert"))
        severity = None
    return labels | ({names.SEVERITY: severity} if severity else {})


def alert_annotations(
    document: Document, path: _Path, written: Mapping[str, str], problems: list[Problem], *, prefix: str = ""
) -> dict[str, str]:
    """Annotations by names that Prometheus takes, without the prefix that they have in the file."""
    found: dict[str, str] = {}
    for key, value in written.items():
        name = re.sub(r"[^a-zA-Z0-9_]", "_", key.removeprefix(prefix))
        name = f"_{name}" if name[:1].isdigit() else name
        if not name or name in found:
            message = f"left out: another annotation is also `{name}` in Prometheus" if name else "a name is missing"
            problem = document.problem(
                *path, key, message=message, hint="rename it", severity=Severity.WARNING, rule="alert", on_key=True
            )
            problems.append(problem)
            continue
        found[name] = value
    problems += _faults(document, path, written)
    return found


def alert_text(name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> AlertText:
    """The text of one urgency's alerts; `severity` among the labels replaces ours."""
    return AlertText(
        labels=tuple(sorted((key, value) for key, value in labels.items() if key != names.SEVERITY)),
        annotations=tuple(sorted(annotations.items())),
        severity=labels.get(names.SEVERITY, ""),
        name=name,
    )


def told_apart(
    document: Document, path: _Path, page: AlertText, ticket: AlertText, problems: list[Problem]
) -> AlertText:
    """The text of tickets, with our own severity where nothing else tells them from pages."""
    if not ticket.severity or (page.name, page.severity) != (ticket.name, ticket.severity):
        return ticket
    message = f"pages and tickets both have the severity {page.severity}: tickets keep `ticket`"
    problem = document.problem(
        *path, message=message, hint="give them different ones", severity=Severity.WARNING, rule="alert", on_key=True
    )
    problems.append(problem)
    return replace(ticket, severity="")


def name_problem(document: Document, path: _Path, name: str) -> Problem | None:
    """Why a text cannot be an alert's name."""
    if ALERT_NAME.fullmatch(name):
        return None
    message = f"`{name[:60]}` cannot be an alert's name: up to 200 characters, without quotes and braces"
    return document.problem(*path, message=message, rule="alert")


def _faults(document: Document, path: _Path, written: Mapping[str, str]) -> list[Problem]:
    """Values that are empty, or templates that Prometheus would refuse together with the whole rule file."""
    faults = ((key, template_fault(value) if value else "must not be empty") for key, value in written.items())
    return [document.problem(*path, key, message=fault, rule="alert") for key, fault in faults if fault]
