"""Tracker documents as trackers, and everything that is wrong with them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from alerts.reporting import Report
from alerts.tickets.model import Tracker, TrackerKind
from alerts.tickets.spec import TrackerDocument
from controlplane.problems import SECRET, Problem
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean

RULE: Final = "tracker"
COST: Final = "cost"
ACTIONS: Final = "actions"
STANDARD_DIRECTORY: Final = ".flyball/tickets"
STANDARD: Final = Tracker("files", TrackerKind.FILE, frozenset((COST, ACTIONS)), {"directory": STANDARD_DIRECTORY})
"""Where tickets are kept when no Tracker is declared."""

_KEYS: Final = ("file", "github", "gitlab", "jira")
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")  # capitals: what is pasted here by mistake has others
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9._-]{1,100}")
_GITLAB_PROJECT: Final = re.compile(r"[0-9]{1,12}|[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+")
_JIRA_PROJECT: Final = re.compile(r"[A-Z][A-Z0-9_]{1,99}")
_LABEL: Final = re.compile(r"[^\s,]{1,50}")
_PLAIN: Final = ("token", "user")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_SHAPES: Final = {
    ("github", "repository"): (_REPOSITORY, "a repository", "OWNER/NAME, such as example/platform"),
    ("gitlab", "project"): (_GITLAB_PROJECT, "a project", "its path, such as example/platform, or its number"),
    ("jira", "project"): (_JIRA_PROJECT, "a project's key", "capitals and digits, such as OPS"),
}
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[Tracker]:
    """The trackers that these documents declare, by name. One with a mistake is left out; its problems are told.

    A thing is opened in one tracker only: what two of them take is a problem of the second.
    """

    def read(document: Document, value: TrackerDocument) -> tuple[Tracker | None, Sequence[Problem]]:
        report = Report(document, RULE)
        tracker = _Reading(report, value).tracker()
        return (None if report.has_errors else tracker), report.problems

    found = declared_by_name(documents, TrackerDocument, read)
    return Declared(found.values, (*found.problems, *_taken_twice(documents)))


def taking(trackers: Sequence[Tracker], what: str) -> Tracker | None:
    """Who takes it; the standard folder when nothing is declared, None when trackers are and none of them takes it."""
    if not trackers:
        return STANDARD
    return next((each for each in trackers if what in each.takes), None)


def by_name(trackers: Sequence[Tracker], name: str) -> Tracker | None:
    """The tracker that keeps tickets under this name, the standard folder's included."""
    found = next((each for each in trackers if each.name == name), None)
    return STANDARD if found is None and name == STANDARD.name else found


def _taken_twice(documents: Sequence[Document]) -> Iterator[Problem]:
    first: dict[str, Document] = {}
    for document in documents:
        if not isinstance(document.value, TrackerDocument):
            continue
        for what in dict.fromkeys(document.value.spec.takes):
            if what in first:
                other = first[what]
                name = other.value.metadata.name if isinstance(other.value, TrackerDocument) else ""
                message = f"`{what}` is taken by the Tracker {name} already"
                hint = f"leave it out of `takes` here or at {other.position}: each ticket is opened once"
                yield document.problem("spec", "takes", message=message, hint=hint, rule=RULE)
            else:
                first[what] = document


class _Reading:
    def __init__(self, report: Report, value: TrackerDocument) -> None:
        self._report = report
        self._value = value

    def tracker(self) -> Tracker:
        about, spec = self._value.metadata, self._value.spec
        self._report.check_name(about.name)
        self._check_labels(spec.labels)
        kind, settings = self._place()
        return Tracker(
            name=about.name,
            kind=kind,
            takes=frozenset(spec.takes),
            settings=settings,
            labels=tuple(dict.fromkeys(spec.labels)),
            source=self._report.document.position_of("metadata", "name"),
        )

    def _place(self) -> tuple[TrackerKind, dict[str, str]]:
        given = [key for key in _KEYS if getattr(self._value.spec, key) is not None]
        if not given:
            self._report.error("spec", message="no tracker", hint=f"write one of {', '.join(_KEYS)}")
            return TrackerKind.FILE, {}
        if len(given) > 1:
            message = f"{' and '.join(given)} exclude each other"
            self._report.error("spec", given[1], message=message, hint="a Tracker is one tracker", on_key=True)
        key = given[0]
        return TrackerKind(key), self._settings(key, getattr(self._value.spec, key))

    def _settings(self, key: str, part: BaseModel) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, field in type(part).model_fields.items():
            written, alias = getattr(part, name), field.alias or name
            at = ("spec", key, alias)
            if name in _PLAIN:
                if written is not None:
                    hint = f"put it into an environment variable, and the variable's name under `{alias}From`"
                    self._report.error(*at, message="a secret in plain text", hint=hint, rule=SECRET, on_key=True)
                continue
            if written is None:
                continue
            text = str(written)
            self._check(at, key, name, text)
            found[alias] = text.rstrip("/") if name == "url" else text
        return found

    def _check(self, at: Path, key: str, name: str, text: str) -> None:
        if name == "url":
            self._check_url(at, text)
        elif name == "directory":
            self._check_directory(at, text)
        elif name.endswith("_from") and not _VARIABLE.fullmatch(text):
            hint = "capitals, digits and `_`; the secret itself must not stand in a file"
            self._report.error(*at, message="not the name of an environment variable", hint=hint, rule=SECRET)
        elif (key, name) in _SHAPES:
            shape, what, hint = _SHAPES[key, name]
            if not shape.fullmatch(text):
                self._report.error(*at, message=f"`{text[:80]}` is not {what}", hint=hint)

    def _check_url(self, at: Path, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        if parts.username is not None or parts.password is not None:
            hint = "put it into an environment variable, and name that"
            self._report.error(*at, message="credentials in the address", hint=hint, rule=SECRET)
        elif parts.scheme not in ("http", "https") or not host or re.search(r"\s", url):
            self._report.error(*at, message="not a web address", hint="such as https://tracker.example.com")
        elif parts.query or parts.fragment:
            hint = "write the address up to the path"
            self._report.error(
                *at, message="an address with `?` or `#`, where secrets often stand", hint=hint, rule=SECRET
            )
        elif parts.scheme == "http" and host not in _LOOPBACK:
            self._report.error(*at, message="the token would travel in the clear", hint="write https://")

    def _check_directory(self, at: Path, text: str) -> None:
        if ".." in PurePosixPath(text).parts:
            self._report.error(*at, message="a folder above the workspace", hint="write it from the workspace on")

    def _check_labels(self, labels: Sequence[str]) -> None:
        for number, label in enumerate(labels):
            if not _LABEL.fullmatch(label):
                hint = "at most 50 characters, without spaces and commas: every tracker takes that"
                self._report.error("spec", "labels", number, message=f"`{label[:80]}` is not a label", hint=hint)


def unknown_tracker(name: str, trackers: Sequence[Tracker]) -> str:
    """What to say when nothing keeps tickets under this name any more."""
    meant = did_you_mean(name, [each.name for each in trackers])
    return f"no Tracker is named {name} any more" + (f": was it renamed to {meant}?" if meant else "")
