"""Runbook documents as runbooks, and everything that is wrong with them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from alerts.reporting import Report
from alerts.routing.lengths import length
from alerts.routing.matchers import read_groups
from alerts.runbooks.model import Runbook, RunbookStep, StepKind
from alerts.runbooks.spec import CommandStepPart, FlagStepPart, HTTPStepPart, RunbookDocument, StepPart
from controlplane.problems import SECRET, Problem
from controlplane.specfile import Declared, Document, declared_by_name

RULE: Final = "runbook"
LONGEST: Final = timedelta(minutes=10)
_STANDARD_TIMEOUT: Final = timedelta(seconds=30)
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_COMMAND: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}")
_HARMLESS: Final = ("GET", "HEAD")
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[Runbook]:
    """The runbooks that these documents declare, by name. One with a mistake is left out; its problems are told."""

    def read(document: Document, value: RunbookDocument) -> tuple[Runbook | None, Sequence[Problem]]:
        report = Report(document, RULE)
        runbook = _runbook(report, value)
        return (None if report.has_errors else runbook), report.problems

    return declared_by_name(documents, RunbookDocument, read)


def _runbook(report: Report, value: RunbookDocument) -> Runbook:
    spec = value.spec
    report.check_name(value.metadata.name)
    if spec.url:
        _check_url(report, spec.url, ("spec", "url"))
    if spec.file:
        _check_file(report, spec.file)
    if not (spec.url or spec.file or spec.steps):
        hint = "give it a `url`, a `file` or `steps`"
        report.error("spec", message="it says nothing about what to do", hint=hint, on_key=True)
    steps = [_step(report, part, number, spec.approval) for number, part in enumerate(spec.steps)]
    found = tuple(step for step in steps if step is not None)
    for number, part in enumerate(spec.steps):
        if any(part.name == other.name for other in spec.steps[:number]):
            report.error("spec", "steps", number, "name", message=f"the step `{part.name}` is there twice")
    if spec.starts_by_itself and not (found and found[0].is_automatic):
        message = "nothing starts by itself: the first step needs an approval"
        hint = "give it `approval: automatic`"
        report.error("spec", "startsByItself", message=message, hint=hint, on_key=True)
    return Runbook(
        name=value.metadata.name,
        title=spec.title or value.metadata.display_name or value.metadata.name,
        url=spec.url,
        file=spec.file,
        matchers=read_groups(report, spec.for_, ("spec", "for")),
        steps=found,
        starts_by_itself=spec.starts_by_itself,
        labels=dict(value.metadata.labels),
        source=report.document.position_of("metadata", "name"),
    )


def _check_file(report: Report, file: str) -> None:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file:
        message = "not a path within the workspace"
        report.error("spec", "file", message=message, hint="from its root on, such as runbooks/gateway-outage.md")
    elif path.suffix.lower() not in (".md", ".markdown"):
        report.error("spec", "file", message=f"`{file[:80]}` is no Markdown file", hint="its name ends in .md")


def _step(report: Report, part: StepPart, number: int, approval: str) -> RunbookStep | None:
    path: Path = ("spec", "steps", number)
    given = [kind for kind in StepKind if getattr(part, kind.value) is not None]
    timeout = length(report, part.timeout, (*path, "timeout"), least=timedelta(seconds=1), most=LONGEST)
    if len(given) != 1:
        if given:
            message = f"{' and '.join(kind.value for kind in given)} exclude each other"
            report.error(*path, given[1].value, message=message, hint="one thing a step", on_key=True)
        else:
            report.error(*path, message="it does nothing", hint="write one of http, flag, command")
        return None
    kind = given[0]
    at: Path = (*path, kind.value)
    settings: dict[str, str] = {}
    if part.http is not None:
        settings = _http(report, part.http, at)
    elif part.flag is not None:
        settings = _flag(part.flag)
    elif part.command is not None:
        settings = _command(report, part.command, at)
    is_harmless = kind is StepKind.HTTP and settings["method"] in _HARMLESS
    return RunbookStep(
        name=part.name,
        kind=kind,
        settings=settings,
        timeout=timeout or _STANDARD_TIMEOUT,
        is_automatic=(part.approval or approval) == "automatic",
        changes=not is_harmless if part.changes is None else part.changes,
        why=part.why,
    )


def _http(report: Report, part: HTTPStepPart, path: Path) -> dict[str, str]:
    _check_url(report, part.url, (*path, "url"))
    if part.headers is not None:
        message, hint = "headers in plain text", "values come from the environment: `headersFrom: {NAME: VARIABLE}`"
        report.error(*path, "headers", message=message, hint=hint, rule=SECRET, on_key=True)
    settings = {"method": part.method, "url": part.url, "expect": part.expect}
    if part.body:
        settings["body"] = part.body
    for name, variable in part.headers_from.items():
        at = (*path, "headersFrom", name)
        if not _HEADER.fullmatch(name):
            report.error(*at, message=f"`{name[:80]}` is not the name of a header", on_key=True)
        if not _VARIABLE.fullmatch(variable):
            message = "not the name of an environment variable"
            hint = "capitals, digits and `_`; the secret itself must not stand in a file"
            report.error(*at, message=message, hint=hint, rule=SECRET)
        settings[f"headersFrom.{name}"] = variable
    return settings


def _flag(part: FlagStepPart) -> dict[str, str]:
    value = str(part.value).lower() if isinstance(part.value, bool) else part.value
    return {"store": part.store, "flag": part.flag, "value": value}


def _command(report: Report, part: CommandStepPart, path: Path) -> dict[str, str]:
    if not _COMMAND.fullmatch(part.run):
        message = f"`{part.run[:80]}` is not the name of an allowed command"
        report.error(*path, "run", message=message, hint="a name on the allow-list: no path, no arguments, no shell")
    for number, argument in enumerate(part.args):
        if "\0" in argument:
            report.error(*path, "args", number, message="holds a character that no argument can hold")
    return {"run": part.run} | {f"args.{number}": text for number, text in enumerate(part.args)}


def _check_url(report: Report, url: str, path: Path) -> None:
    hint = "such as https://runbooks.example.com/gateway-outage"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        report.error(*path, message="not a web address", hint=hint)
        return
    if parts.username is not None or parts.password is not None:
        report.error(*path, message="credentials in the address", hint="use `headersFrom`", rule=SECRET)
    elif parts.scheme not in ("http", "https") or not host or re.search(r"\s", url):
        report.error(*path, message="not a web address", hint=hint)
