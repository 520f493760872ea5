"""Which runbook an alert has, and which alerts have none that exists.

An alert names its runbook by the annotation `runbook_url`, or (only where it names none) a Runbook of the workspace
names the alert by its `for`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.model import Link
from alerts.routing.matchers import all_match, matches
from alerts.routing.model import Matcher
from alerts.runbooks.model import Runbook
from controlplane import conventions as names
from controlplane.incident_names import SEVERITY_NONE
from controlplane.model.rule import AlertingRule, RuleFile
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, Severity
from controlplane.specfile import did_you_mean

RULE: Final = "alert-runbook"
PAGES: Final = "runbooks"  # where the console shows them: EXTERNAL_URL/runbooks/NAME
_QUIET: Final = (names.SEVERITY_INFO, SEVERITY_NONE)  # of alerts that tell nobody
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def runbook_for(labels: Mapping[str, str], runbooks: Iterable[Runbook]) -> tuple[Runbook, ...]:
    """The runbooks whose `for` names an alert with these labels, in order of name."""
    return tuple(each for each in runbooks if any(group and all_match(group, labels) for group in each.matchers))


def runbooks_of(
    labels: Mapping[str, str], annotations: Mapping[str, str], runbooks: Sequence[Runbook], console_url: str = ""
) -> tuple[Link, ...]:
    """What to read about an alert: what it links itself, then the Runbooks that name it. Each address once."""
    found: dict[str, Link] = {}
    own = annotations.get(names.RUNBOOK_URL, "").strip()
    if own.startswith(("http://", "https://")):
        known = next((each for each in runbooks if own in (each.url, page_of(each, console_url))), None)
        found[own] = Link(known.title if known is not None else "Runbook", own)
    for each in runbook_for(labels, runbooks):
        url = each.url or page_of(each, console_url)
        found.setdefault(url or each.name, Link(each.title or each.name, url))
    return tuple(found.values())


def page_of(runbook: Runbook, console_url: str) -> str:
    """Where the console shows it; empty where nobody said where the console is."""
    return f"{console_url.rstrip('/')}/{PAGES}/{runbook.name}" if console_url else ""


@dataclass(frozen=True, slots=True)
class Unlinked:
    """An alert of rule files that has no runbook, or one that does not exist. `count`: so many rules are so."""

    alert: str
    file: str
    message: str
    hint: str
    count: int = 1


def unlinked(files: Iterable[RuleFile], runbooks: Sequence[Runbook], *, console_url: str = "") -> tuple[Unlinked, ...]:
    """Alerts that wake people up without saying what to do, each name once a reason, in order.

    Labels that a rule does not set come from its series and may have any value; so may what templates say. Addresses
    outside of the console are not asked: that they exist is another check's business.
    """
    found: dict[tuple[str, str], Unlinked] = {}
    for file in files:
        for rule in (rule for group in file.groups for rule in group.rules if isinstance(rule, AlertingRule)):
            wrong = _fault(rule, runbooks, console_url)
            if wrong is None:
                continue
            message, hint = wrong
            before = found.get((rule.alert, message))
            count = before.count + 1 if before else 1
            found[rule.alert, message] = Unlinked(
                rule.alert, before.file if before else file.name, message, hint, count
            )
    return tuple(found[key] for key in sorted(found))


def link_problems(
    files: Iterable[RuleFile],
    runbooks: Sequence[Runbook],
    *,
    at: SourcePosition,
    console_url: str = "",
    severity: Severity = Severity.ERROR,
) -> list[Problem]:
    """The same as problems. Rules are made, not written: they are told `at` the default Route, whoever it tells."""
    return [
        Problem.at(
            at,
            "spec",
            f"the alert {each.alert} {each.message}"
            + (f" ({each.count} rules, such as in {each.file})" if each.count > 1 else f" ({each.file})"),
            severity=severity,
            hint=each.hint,
            rule=RULE,
        )
        for each in unlinked(files, runbooks, console_url=console_url)
    ]


def file_problems(runbooks: Iterable[Runbook], exists: Callable[[str], bool]) -> Iterator[Problem]:
    """Runbooks whose `file` is not there; `exists` takes a path from the workspace's root on."""
    for each in runbooks:
        if each.file and each.source is not None and not exists(each.file):
            message = f"the runbook {each.name} has no file {each.file}"
            yield Problem.at(each.source, "spec.file", message, hint="paths begin at the workspace's root", rule=RULE)


def _fault(rule: AlertingRule, runbooks: Sequence[Runbook], console_url: str) -> tuple[str, str] | None:
    labels = dict(rule.labels)
    if labels.get(names.SEVERITY) in _QUIET:
        return None
    url = dict(rule.annotations).get(names.RUNBOOK_URL, "").strip()
    if url:
        return _linked(url, runbooks, console_url)
    if any(_may_match(group, labels | {"alertname": rule.alert}) for each in runbooks for group in each.matchers):
        return None
    hint = f"declare a Runbook with for: [['alertname=\"{rule.alert}\"']], or set {names.ANNOTATION_RUNBOOK}"
    return "links no runbook", hint


def _linked(url: str, runbooks: Sequence[Runbook], console_url: str) -> tuple[str, str] | None:
    prefix = f"{console_url.rstrip('/')}/{PAGES}/"
    if console_url and url.startswith(prefix) and not _TEMPLATE.search(url):
        name = url.removeprefix(prefix).partition("#")[0].rstrip("/")
        return None if name in {each.name for each in runbooks} else _unknown(name, {each.name for each in runbooks})
    if not url.startswith(("http://", "https://", "{{")):
        return f"links `{url[:80]}`, which is not a web address", "begin it with https://"
    return None


def _unknown(name: str, known: Collection[str]) -> tuple[str, str]:
    meant = did_you_mean(name, known)
    hint = f"did you mean `{meant}`?" if meant else f"declare a Runbook of the name `{name[:63]}`"
    return f"links the runbook `{name[:80]}`, which there is not", hint


def _may_match(group: Sequence[Matcher], known: Mapping[str, str]) -> bool:
    """Whether alerts with these labels, and any others, may be named by a group of matchers."""
    return bool(group) and all(
        matches(each, known) if each.name in known and "{{" not in known[each.name] else True for each in group
    )
