"""Texts of a Journey document: lengths of time, templates, and what they may name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, did_you_mean
from controlplane.specfile.document import entry_at
from synthetics.journeys.templates import BadTemplate, Items, Members, Number, Origin, Reference, Template, Tree, parse
from synthetics.probes.lengths import HINT, parse_length, shown_length
from synthetics.probes.secrets import holds_secret, is_secret_name

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
_OF_ENV: Final = "${env:X}"  # what other checks of texts know as a reference
_QUOTES: Final = "'\"|>!"  # `!!str 7` is a text, too

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What texts may name from the start."""

    variables: frozenset[str]
    secrets: frozenset[str]


class TextReader:
    """Reads texts, and notes what is wrong with them. `saved` grows with the steps that were read."""

    def __init__(self, document: Document, known: Known, rule: str) -> None:
        self.problems: list[Problem] = []
        self.saved: list[str] = []
        self.used_secrets: set[str] = set()
        self.environment: set[str] = set()
        self._document, self._known, self._rule = document, known, rule

    def length(self, text: str, *path: str | int, least: timedelta, most: timedelta) -> timedelta:
        """A length of time; some valid one when it is none."""
        length = parse_length(text)
        if length is None:
            self.report(*path, message=f"`{text}` is not a length", hint=HINT)
            return most
        if not least <= length <= most:
            message = f"must be between {shown_length(least)} and {shown_length(most)}"
            self.report(*path, message=message)
            return most
        return length

    def template(self, text: str, *path: str | int) -> Template:
        """A text with references; what they name must be known here."""
        try:
            template = parse(text)
        except BadTemplate as bad:
            self._at(path, bad.message, bad.hint, bad.offset, bad.length)
            return Template()
        for reference in template.references:
            self._check(reference, path)
        return template

    def header(self, name: str, text: str, *path: str | int) -> Template:
        """The value of a header: one line, and no secret."""
        template = self.template(text, *path)
        if "\n" in text or "\r" in text:
            self.report(*path, message="a header has one line")
        if holds_secret(name, "".join(part if isinstance(part, str) else _OF_ENV for part in template.parts)):
            self._plain_secret(name, path)
        return template

    def field(self, name: str, text: str, *path: str | int) -> Template:
        """The value of a field by its name: no secret."""
        template = self.template(text, *path)
        if text and not template.references and is_secret_name(name):
            self._plain_secret(name, path)
        return template

    def tree(self, value: object, *path: str | int) -> Tree:
        """A value that is sent as JSON: numbers are those that are written without quotes."""
        match value:
            case dict():
                return Members(tuple(self._member(str(key), each, (*path, str(key))) for key, each in value.items()))
            case list():
                return Items(tuple(self.tree(each, *path, number) for number, each in enumerate(value)))
            case str() if _NUMBER.fullmatch(value) and self._is_plain(path):
                return Number(value)
            case str():
                return self.template(value, *path)
            case bool() | None:
                return value
            case _:
                raise TypeError(f"{type(value).__name__} does not come out of a file")

    def report(
        self,
        *path: str | int,
        message: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
        on_key: bool = False,
    ) -> None:
        """Note a problem."""
        problem = self._document.problem(
            *path, message=message, hint=hint, severity=severity, rule=self._rule, on_key=on_key
        )
        self.problems.append(problem)

    def _member(self, name: str, value: object, path: Path) -> tuple[str, Tree]:
        if isinstance(value, str) and is_secret_name(name):
            return name, self.field(name, value, *path)
        return name, self.tree(value, *path)

    def _plain_secret(self, name: str, path: Path) -> None:
        hint = "name it in spec.secrets and take it as ${secret:NAME}"
        message = f"a secret in plain text: `{name}`"
        self.problems.append(self._document.problem(*path, message=message, hint=hint, on_key=True, rule="secret"))

    def _is_plain(self, path: Path) -> bool:
        document = self._document
        start = entry_at(document.place, document.written(path))[0].place.start
        return document.source.text[start : start + 1] not in _QUOTES

    def _check(self, reference: Reference, path: Path) -> None:
        match reference.origin:
            case Origin.SECRET:
                self.used_secrets.add(reference.name)
                self._known_or_report(reference, path, self._known.secrets, "secret", "name it in spec.secrets")
            case Origin.ENVIRONMENT:
                self.environment.add(reference.name)
            case Origin.NAME:
                known = [*self._known.variables, *self.saved]
                hint = "a secret is ${secret:…}" if reference.name in self._known.secrets else ""
                self._known_or_report(reference, path, known, "value", hint or "no step before this one saves it")

    def _known_or_report(self, reference: Reference, path: Path, known: Iterable[str], what: str, way_out: str) -> None:
        names = list(known)
        if reference.name not in names:
            meant = did_you_mean(reference.name, names)
            message = f"no {what} is named `{reference.name}`"
            message += f", did you mean `{meant}`?" if meant else ""
            self._at(path, message, "" if meant else way_out, reference.offset, reference.length)

    def _at(self, path: Path, message: str, hint: str, offset: int, length: int) -> None:
        problem = self._document.problem(
            *path, message=message, hint=hint, offset=offset, length=length, rule=self._rule
        )
        self.problems.append(problem)
