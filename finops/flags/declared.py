"""FlagStore documents as stores, and everything that is wrong with them."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from controlplane import conventions as names
from controlplane.model.ladder import FlagValue
from controlplane.problems import SECRET, Problem, has_errors
from controlplane.specfile import Declared, Document, declared_by_name
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagType
from finops.flags.report import Report
from finops.flags.spec import FlagPart, FlagStoreDocument
from finops.flags.values import EXPECTED, described, hint_for, typed
from finops.naming import annotation_problems, name_problems

RULE: Final = "flag-store"
_WRITTEN: Final = (
    ("flagd", "flagd", "flagd"),
    ("unleash", "unleash", "unleash"),
    ("launch_darkly", "launchDarkly", "launchdarkly"),
    ("webhook", "webhook", "webhook"),
    ("memory", "memory", "memory"),
)  # attribute, key, type
KEYS: Final = (*(key for _, key, _ in _WRITTEN), "ofrep")
_FLAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")  # capitals: what is pasted here by mistake has others
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN: Final = ("token", "client_token", "sdk_key", "secret")
_NONE: Final[dict[FlagType, FlagValue]] = {FlagType.BOOLEAN: False, FlagType.INTEGER: 0, FlagType.STRING: ""}
_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[DeclaredStore]:
    """The stores that these documents declare, by name. One with a mistake is left out; its problems are told."""

    def read(document: Document, value: FlagStoreDocument) -> tuple[DeclaredStore | None, Sequence[Problem]]:
        store, problems = store_of(document, value)
        return (None if has_errors(problems) else store), problems

    return declared_by_name(documents, FlagStoreDocument, read)


def store_of(document: Document, value: FlagStoreDocument) -> tuple[DeclaredStore, Sequence[Problem]]:
    """One document, as far as it can be read, and what is wrong with it.

    A flag with a mistake stays on the list: that a ladder names it is no other mistake.
    """
    reading = _Reading(document, value)
    store = reading.store()
    return store, reading.report.problems


class _Reading:
    def __init__(self, document: Document, value: FlagStoreDocument) -> None:
        self.report: Final = Report(document, RULE)
        self._document = document
        self._value = value

    def store(self) -> DeclaredStore:
        about = self._value.metadata
        self.report.problems.extend(name_problems(self._document, about.name))
        self.report.problems.extend(annotation_problems(self._document, about.annotations))
        type_, options = self._place()
        return DeclaredStore(
            name=about.name,
            type=type_,
            options=options,
            flags=self._flags(),
            source=self._document.position_of("metadata", "name"),
        )

    def _place(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The store's type, and its options; those of an `ofrep` beside it under `ofrep.`."""
        spec = self._value.spec
        given = [each for each in _WRITTEN if getattr(spec, each[0]) is not None]
        options: list[tuple[str, str]] = []
        for attribute, key, _ in given:
            options += self._options(getattr(spec, attribute), key)
        if spec.ofrep is not None:
            prefix = "ofrep." if given else ""
            options += [(f"{prefix}{key}", text) for key, text in self._options(spec.ofrep, "ofrep")]
        if not given and spec.ofrep is None:
            self.report.error("spec", message="no store", hint=f"write one of {', '.join(KEYS)}")
        elif len(given) > 1:
            keys = [key for _, key, _ in given]
            message = f"{' and '.join(keys)} exclude each other"
            self.report.error("spec", keys[1], message=message, hint="a FlagStore is one store", on_key=True)
        return (given[0][2] if given else "ofrep"), tuple(options)

    def _options(self, part: BaseModel, key: str) -> list[tuple[str, str]]:
        """What the part says, by the keys that users write, what is left out at its standard."""
        found = []
        for name, field in type(part).model_fields.items():
            written, alias = getattr(part, name), field.alias or name
            at = ("spec", key, alias)
            if name in _PLAIN:
                if written is not None:
                    self._plain(at)
                continue
            if written is None:
                continue
            if name == "url":
                self._check_url(at, written)
            elif name.endswith("_from") and not _VARIABLE.fullmatch(written):
                message = "not the name of an environment variable"
                hint = "capitals, digits and `_`; the secret itself must not stand in a file"
                self.report.error(*at, message=message, hint=hint, rule=SECRET)
            found.append((alias, written.rstrip("/") if name == "url" else written))
        return found

    def _plain(self, at: Path) -> None:
        hint = f"put it into an environment variable, and the variable's name under `{at[-1]}From`"
        self.report.error(*at, message="a secret in plain text", hint=hint, rule=SECRET, on_key=True)

    def _check_url(self, at: Path, url: str) -> None:
        fault, is_secret = url_fault(url)
        if is_secret:
            hint = "put it into an environment variable, and name that"
            self.report.error(*at, message=fault, hint=hint, rule=SECRET)
        elif fault:
            self.report.error(*at, message=fault, hint="such as https://flags.example.com")

    def _flags(self) -> tuple[DeclaredFlag, ...]:
        flags: dict[str, DeclaredFlag] = {}
        for number, part in enumerate(self._value.spec.flags):
            at = ("spec", "flags", number)
            self._check_flag(at, part)
            if part.name in flags:
                first = flags[part.name].source
                message = f"the flag `{part.name[:100]}` is there twice"
                self.report.error(*at, "name", message=message, hint=f"first at {first}")
                continue
            flags[part.name] = self._flag(at, part)
        return tuple(flags.values())

    def _check_flag(self, at: Path, part: FlagPart) -> None:
        if not _FLAG.fullmatch(part.name):
            hint = "letters, digits, `.`, `_` and `-`, at most 100, beginning with a letter or a digit"
            self.report.error(*at, "name", message=f"`{part.name[:100]}` is not a flag's name", hint=hint)
        for index, metric in enumerate(part.silences):
            if not _METRIC.fullmatch(metric):
                hint = "only its name: letters, digits, `_` and `:`"
                self.report.error(*at, "silences", index, message=f"`{metric[:100]}` is not a metric", hint=hint)

    def _flag(self, at: Path, part: FlagPart) -> DeclaredFlag:
        type_ = FlagType(part.type)
        owner = part.owner or self._value.metadata.annotations.get(names.ANNOTATION_OWNER, "").strip()
        if not owner:
            hint = f"write `owner`, or the annotation {names.ANNOTATION_OWNER} of the store"
            self.report.error(*at, "owner", message="nobody owns this flag", hint=hint)
        return DeclaredFlag(
            name=part.name,
            type=type_,
            normal=self._normal(at, type_, part.normal),
            owner=owner,
            source=self._document.position_of(*at, "name"),
            description=part.description,
            expires=self._expires(at, part.expires),
            silences=tuple(dict.fromkeys(part.silences)),
        )

    def _normal(self, at: Path, type_: FlagType, written: bool | str | None) -> FlagValue:
        if written is None:
            if type_ is not FlagType.BOOLEAN:
                message = f"a flag of type {type_.value} needs its value at full service"
                self.report.error(*at, "normal", message=message, hint="write `normal`")
            return _NONE[type_]
        value = typed(type_, written)
        if value is None:
            message = f"a flag of type {type_.value} takes {EXPECTED[type_]}, not {described(written)}"
            self.report.error(*at, "normal", message=message, hint=hint_for(type_, written))
            return _NONE[type_]
        if value is True:
            message = "a missing flag would be a reduced service: applications take a flag that they do not find as off"
            hint = "turn the flag's meaning round, so that on is reduced and `normal` is false"
            self.report.warning(*at, "normal", message=message, hint=hint)
        return value

    def _expires(self, at: Path, written: str | None) -> date | None:
        if written is None:
            return None
        try:
            if _DAY.fullmatch(written):
                return date.fromisoformat(written)
        except ValueError:  # the 30th of February
            pass
        message = f"`{written[:40]}` is not a day"
        self.report.error(*at, "expires", message=message, hint="write it as 2027-06-30")
        return None


def url_fault(url: str) -> tuple[str, bool]:
    """Why a store cannot stand at this address, and whether it holds a secret; nothing when it can."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not a web address", False
    if parts.username is not None or parts.password is not None:
        return "credentials in the address", True
    if parts.scheme not in ("http", "https") or not host or re.search(r"\s", url):
        return "not a web address", False
    if parts.query or parts.fragment:
        return "an address with `?` or `#`, where secrets often stand", True
    return "", False
