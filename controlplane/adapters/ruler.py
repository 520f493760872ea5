"""The ruler of Mimir or Cortex as a rule engine: rules go there over HTTP, group by group, into a namespace of ours.

API: grafana.com/docs/mimir/latest/references/http-api/#ruler-rules and cortexmetrics.io/docs/api/#ruler. The two differ
in the path before `rules`. Groups are read and written as YAML; a namespace without any is 404.
"""

import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Final
from urllib.parse import quote

import yaml

from controlplane.adapters.http_answer import Answer, HTTPConversation
from controlplane.model.generation import TextFile
from controlplane.ports import LoadedGroup, Permanent, Transient

_LIMIT_BYTES: Final = 256 * 1024 * 1024
_NOT_FOUND: Final = 404
_UNAUTHORISED: Final = (401, 403)
_PAUSES_SECONDS: Final = (1.0, 2.0, 4.0)  # before asking again, where the ruler is overloaded
_GROUP: Final = re.compile(r"^- (?=name: )", re.MULTILINE)
_NAME: Final = re.compile(r"^- name: (.+)$", re.MULTILINE)
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What a ruler answers is YAML of any shape; `_understood` turns what we do not expect into `Transient`.
_YAML = Any
Rules = tuple[tuple[str, str, str, str, str, str], ...]  # name, expression, for, keep_firing_for, labels, annotations


class RulerProduct(Enum):
    """Whose ruler it is: they differ in the path of their API."""

    MIMIR = "mimir"
    CORTEX = "cortex"


_PATHS: Final = {RulerProduct.MIMIR: "/config/v1/rules", RulerProduct.CORTEX: "/api/v1/rules"}


@dataclass(frozen=True, slots=True)
class RulerAddress:
    """Where the ruler is and how it knows us.

    `url` is the base before `/config/v1/rules` (Mimir: with its Prometheus prefix, `https://mimir/prometheus`).
    `tenant` is sent as X-Scope-OrgID; `token` as a bearer token, or `credentials` (`user:password`) as basic.
    """

    product: RulerProduct
    url: str
    namespace: str
    tenant: str = ""
    token: str = field(default="", repr=False)
    credentials: str = field(default="", repr=False)

    def headers(self) -> Mapping[str, str]:
        """What is sent with each request."""
        found = {"X-Scope-OrgID": self.tenant} if self.tenant else {}
        if self.token:
            return {**found, "Authorization": f"Bearer {self.token}"}
        if self.credentials:
            return {**found, "Authorization": f"Basic {b64encode(self.credentials.encode()).decode()}"}
        return found


@dataclass(frozen=True, slots=True)
class _Group:
    """A rule group; `content` is the group as YAML or as what YAML says, `meaning` what tells it from another."""

    name: str
    content: _YAML
    interval: timedelta
    rules: Rules

    @property
    def meaning(self) -> tuple[timedelta, Rules]:
        return self.interval, self.rules

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else yaml.safe_dump(self.content, sort_keys=False)


class Ruler:
    """`RuleEngine` on a ruler. `wanted` gives the files of the generation to which the rules directory points.

    The namespace is ours alone: groups in it that are not wanted are deleted. `reload` sends only what differs, the
    group of the marker last, and reads everything back. When that fails it puts back what was there before. Asked for
    an empty generation after that (there is no last good one on this machine), it leaves what it put back: a fresh
    checkout in CI must not delete rules that run.

    Errors: `Transient` when it is unreachable, overloaded after three more tries, or failing; `Permanent`, in its own
    words, when it refuses.
    """

    def __init__(
        self,
        address: RulerAddress,
        wanted: Callable[[], Sequence[TextFile]],
        *,
        marker: str,
        timeout_seconds: float = 30,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = address.product.value.capitalize()
        self._server = HTTPConversation(
            self._name,
            address.url,
            timeout_seconds=timeout_seconds,
            limit_bytes=_LIMIT_BYTES,
            headers=address.headers(),
        )
        self._path = f"{_PATHS[address.product]}/{quote(address.namespace, safe='')}"
        self._namespace = address.namespace
        self._wanted = wanted
        self._marker = marker
        self._sleep = sleep
        self._restored: Mapping[str, _Group] | None = None

    @property
    def address(self) -> str:
        """Its URL without credentials, for messages."""
        return self._server.address

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def ensure_answering(self) -> None:
        """Ask for our namespace."""
        self._ask("GET", "")

    def loaded_groups(self) -> list[LoadedGroup]:
        """The groups of our namespace, each as of the file in which it is wanted."""
        files = {name: file.name for file in self._wanted() for name in _names_in(file.text)}
        return [
            LoadedGroup(
                file=f"{self._namespace}/{files.get(group.name, 'unknown')}",
                name=group.name,
                interval=group.interval,
                rules=tuple((rule[0], rule[1]) for rule in group.rules),
            )
            for group in self._there().values()
        ]

    def reload(self) -> None:
        """Make the namespace what is wanted."""
        wanted = {group.name: group for file in self._wanted() for group in _groups_in(file.text)}
        before = self._there()
        if self._restored is not None and wanted.keys() <= {self._marker}:
            self._bring(before, self._restored)
            return
        try:
            self._bring(before, wanted)
            self._verify(wanted)
        except (Transient, Permanent) as error:
            self._put_back(before, error)
            raise

    def _put_back(self, before: Mapping[str, _Group], failure: Exception) -> None:
        try:
            self._bring(self._there(), before)
        except (Transient, Permanent) as error:
            kind = type(failure) if isinstance(failure, Transient | Permanent) else Permanent
            raise kind(f"{failure}; its former rules could not all be put back: {error}") from error
        self._restored = before

    def _bring(self, there: Mapping[str, _Group], wanted: Mapping[str, _Group]) -> None:
        """Send what differs, delete what is not wanted; the marker last, so that it tells that all went well."""
        names = sorted(wanted, key=lambda name: (name == self._marker, name))
        for name in names:
            if name == self._marker:
                self._delete(there.keys() - wanted.keys())
            group = wanted[name]
            if name not in there or there[name].meaning != group.meaning:
                self._ask("POST", "", group.text)
        if self._marker not in wanted:
            self._delete(there.keys() - wanted.keys())

    def _delete(self, names: set[str]) -> None:
        for name in sorted(names):
            self._ask("DELETE", f"/{quote(name, safe='')}")

    def _verify(self, wanted: Mapping[str, _Group]) -> None:
        there = self._there()
        wrong = sorted(name for name in there.keys() | wanted.keys() if _meaning(there, name) != _meaning(wanted, name))
        if wrong:
            raise Permanent(
                f"{self._name} at {self.address} took the rules, but its group {wrong[0]} is not as it was sent"
            )

    def _there(self) -> dict[str, _Group]:
        """Our namespace by group; empty when it does not exist."""
        answer = self._ask("GET", "")
        if answer is None:
            return {}
        try:
            found = yaml.load(answer.body, _LOADER)  # noqa: S506 -- a safe loader
            groups = [_group(each) for each in (found or {}).get(self._namespace) or []]
        except (yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise Transient(
                f"{self._name} at {self.address} answered something that is not its YAML: {error!r}"
            ) from error
        return {group.name: group for group in groups}

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer | None:
        """The answer, None for 404 to anything but a POST. Overload is waited out for some seconds."""
        for pause in (*_PAUSES_SECONDS, None):
            content = body.encode() if body is not None else None
            answer = self._server.ask(method, self._path + path, content=content, content_type="application/yaml")
            if answer.succeeded:
                return answer
            if answer.status == _NOT_FOUND and method != "POST":
                return None
            if not answer.may_pass or pause is None:
                break
            self._sleep(pause)
        raise self._failure(answer)

    def _failure(self, answer: Answer) -> Transient | Permanent:
        where = f"{self._name} at {self.address}"
        words = answer.words(500) or "no reason given"
        if answer.status in _UNAUTHORISED:
            return Permanent(
                f"{where} refuses us ({answer.status}: {words}): set rules.tenant, and FLYBALL_RULER_TOKEN or "
                "FLYBALL_RULER_CREDENTIALS"
            )
        if answer.status == _NOT_FOUND:
            return Permanent(f"{where} has no ruler API at {self._path}: check rules.target and rules.url ({words})")
        message = f"{where} answered {answer.status}: {words}"
        return Transient(message) if answer.may_pass else Permanent(message)


def _meaning(groups: Mapping[str, _Group], name: str) -> object:
    return groups[name].meaning if name in groups else None


def _names_in(text: str) -> Iterator[str]:
    for name in _NAME.findall(text):
        yield str(yaml.load(name, _LOADER))  # noqa: S506 -- a safe loader


def _groups_in(text: str) -> Iterator[_Group]:
    """The groups of a rule file as `controlplane.rulefile` writes it: each begins with `- name:` at the margin."""
    for part in _GROUP.split(text)[1:]:
        dedented = re.sub(r"^  ", "", part, flags=re.MULTILINE)
        found = _group(yaml.load(dedented, _LOADER))  # noqa: S506 -- a safe loader
        yield _Group(found.name, dedented, found.interval, found.rules)


def _group(found: _YAML) -> _Group:
    rules = tuple(
        (
            str(rule.get("record") or rule["alert"]),
            str(rule["expr"]).strip(),
            str(_length(rule.get("for"))),
            str(_length(rule.get("keep_firing_for"))),
            repr(sorted((rule.get("labels") or {}).items())),
            repr(sorted((rule.get("annotations") or {}).items())),
        )
        for rule in found.get("rules") or []
    )
    return _Group(str(found["name"]), found, _length(found.get("interval")), rules)


def _length(text: str | int | None) -> timedelta:
    """`1m`, `1m0s` and `1h30m` are what they say; nothing is 0."""
    return sum((int(amount) * _UNITS[unit] for amount, unit in _PART.findall(str(text or ""))), timedelta(0))
