"""Flags in LaunchDarkly, by semantic patches; written from its documentation, and tested against a server of our own.

https://launchdarkly.com/docs/api/feature-flags/patch-feature-flag
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from controlplane.model.event import JSON
from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent, Transient
from finops.flags.adapters.conversing import Answer, Server, segment
from finops.flags.adapters.launchdarkly_answers import Entries, Entry, Feature, SDKData, Status, milliseconds, moment
from finops.flags.adapters.launchdarkly_answers import known as value_known
from finops.flags.comparing import due, fits
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagUse, FlagWrite, WriteNote
from finops.flags.ports import Conflict

SEMANTIC: Final = "application/json; domain-model=launchdarkly.semanticpatch"
OURS: Final = "[flyball]"
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409  # with another request at the same time, says the documentation
_VERSION: Final = "20240415"  # of the API: shapes do not change under us
_MOST_ENTRIES: Final = 20  # the most that the audit log lists at once
_MOST_COMMENT: Final = 500
T = TypeVar("T", bound=BaseModel)


class LaunchDarkly:
    """Implements `FlagStore`. Flags are changed one after another.

    A semantic patch cannot be made conditional. A write compares the environment's version first; afterwards the audit
    log tells whether somebody else was quicker between the two, and `Conflict` is raised. Our own entries are told by
    their comment.
    """

    capabilities: Final = Capabilities(has_history=True, tells_evaluations=True, visible_within=timedelta(seconds=30))

    def __init__(self, url: str, *, project: str, environment: str, token: str) -> None:
        headers = {"Authorization": token, "LD-API-Version": _VERSION}
        self._server = Server("LaunchDarkly", url, headers=headers, secrets=[token])
        self._project, self._environment = project, environment

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """As the port says. An archived flag is not there."""
        with self._server.call():
            return {flag.name: self._declared_state(flag, self._feature(flag.name)) for flag in flags}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """As the port says, one after another: an error may leave the first ones written."""
        if not writes:
            return
        with self._server.call():
            known = {write.seen.flag: self._ids(write.seen.flag) for write in writes}
            features = {write.seen.flag: self._present(write.seen.flag) for write in writes}
            needed = due(writes, {name: self._state(feature) for name, feature in features.items()})
            patches = {
                write.seen.flag: features[write.seen.flag].instructions(self._environment, write.value)
                for write in needed
            }  # all of them before the first is sent: one that cannot be is refused
            for write in needed:
                self._patch(write.seen.flag, patches[write.seen.flag], note)
                self._look_for_others(write.seen.flag, known[write.seen.flag])

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """As the port says; the last twenty changes. Which value they set is not told."""
        with self._server.call():
            found = self._entries(flag, milliseconds(since))
        return [FlagEdit(flag, entry.at, entry.by, None, _is_ours(entry)) for entry in found if entry.at >= since]

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """As the port says."""
        with self._server.call():
            return [self._use(flag.name) for flag in flags]

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """Implements `FlagClient` where there is no SDK key: what the API says."""
        return {name: state.value for name, state in self.read(flags).items()}

    def close(self) -> None:
        """As the ports say."""
        self._server.close()

    def _use(self, flag: str) -> FlagUse:
        feature = self._feature(flag)
        if feature is None:
            return FlagUse(flag, note="not in the store")
        created = moment(feature.creation_date) if feature.creation_date else None
        if feature.archived:
            return FlagUse(flag, created_at=created, is_archived=True, note="archived")
        place = f"/api/v2/flag-statuses/{segment(self._project)}/{segment(self._environment)}/{segment(flag)}"
        status = self._parsed(self._server.ask("GET", place), Status, f"asking for the status of {flag}")
        seen = status.last_requested.astimezone(UTC) if status.last_requested else None
        return FlagUse(flag, seen, created, note=status.name)

    def _declared_state(self, flag: DeclaredFlag, feature: Feature | None) -> FlagState:
        if feature is None or feature.archived:
            return FlagState(flag.name, None)
        state = self._state(feature)
        if state.value is not None and not fits(flag, state.value):
            raise Permanent(f"flag {flag.name} is declared as {flag.type.value}, and LaunchDarkly has another type")
        return state

    def _state(self, feature: Feature) -> FlagState:
        value, version = feature.value(self._environment), feature.config(self._environment).version
        return FlagState(feature.key, value if isinstance(value, bool | int | str) else None, str(version))

    def _present(self, flag: str) -> Feature:
        feature = self._feature(flag)
        if feature is None or feature.archived:
            raise Permanent(f"LaunchDarkly: project {self._project} has no flag {flag}, or has archived it")
        return feature

    def _feature(self, flag: str) -> Feature | None:
        answer = self._server.ask("GET", self._path(flag), query={"env": self._environment})
        return None if answer.status == _NOT_FOUND else self._parsed(answer, Feature, f"reading {flag}")

    def _patch(self, flag: str, instructions: list[JSON], note: WriteNote) -> None:
        comment = f"{note.reason[:_MOST_COMMENT]} ({note.actor}) {OURS}"
        body: JSON = {"environmentKey": self._environment, "comment": comment, "instructions": instructions}
        answer = self._server.ask_json("PATCH", self._path(flag), body, content_type=SEMANTIC)
        if answer.status == _CONFLICT:
            raise Transient(f"LaunchDarkly takes another change of {flag} just now")
        if not answer.succeeded:
            raise self._server.refusal(answer, f"changing {flag}")

    def _ids(self, flag: str) -> frozenset[str]:
        return frozenset(entry.id for entry in self._entries(flag))

    def _look_for_others(self, flag: str, known: frozenset[str]) -> None:
        """Theirs is told, not put back: the log does not say what they had set."""
        theirs = [entry for entry in self._entries(flag) if entry.id not in known and not _is_ours(entry)]
        if theirs:
            raise Conflict(f"{theirs[-1].by} changed {flag} in LaunchDarkly at the same time", [flag])

    def _entries(self, flag: str, after: int = 0) -> list[Entry]:
        """The last ones, oldest first."""
        query = {
            "spec": f"proj/{self._project}:env/{self._environment}:flag/{flag}",
            "limit": str(_MOST_ENTRIES),
            **({"after": str(after)} if after else {}),
        }
        answer = self._server.ask("GET", "/api/v2/auditlog", query=query)
        return sorted(self._parsed(answer, Entries, "reading the audit log").items, key=lambda entry: entry.date)

    def _parsed(self, answer: Answer, shape: type[T], doing: str) -> T:
        return parsed(self._server, answer, shape, doing)

    def _path(self, flag: str) -> str:
        return f"/api/v2/flags/{segment(self._project)}/{segment(flag)}"


class LaunchDarklyClient:
    """Implements `FlagClient`: downloads what server-side SDKs download, and evaluates it without a context."""

    def __init__(self, url: str, *, sdk_key: str) -> None:
        self._server = Server("LaunchDarkly", _sdk_url(url), headers={"Authorization": sdk_key}, secrets=[sdk_key])

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """As the port says. Raises `Permanent` for a flag of which some get another value than others."""
        answer = self._server.ask("GET", "/sdk/latest-all")
        found = parsed(self._server, answer, SDKData, "downloading flags").flags
        return {flag.name: _fitting(flag, value_known(found, flag.name)) for flag in flags}

    def close(self) -> None:
        """As the port says."""
        self._server.close()


def parsed(server: Server, answer: Answer, shape: type[T], doing: str) -> T:
    """The answer as that shape. Raises `Permanent` when it is a refusal or something else."""
    if not answer.succeeded:
        raise server.refusal(answer, doing)
    try:
        return shape.model_validate_json(answer.body)
    except ValidationError:
        server.data(answer)
        raise server.odd(doing) from None


def _fitting(flag: DeclaredFlag, value: JSON) -> FlagValue | None:
    if value is None:
        return None
    if not fits(flag, value) or not isinstance(value, bool | int | str):
        raise Permanent(f"flag {flag.name} is declared as {flag.type.value}, and LaunchDarkly has another type")
    return value


def _is_ours(entry: Entry) -> bool:
    return entry.comment.endswith(OURS)


def _sdk_url(url: str) -> str:
    """`app.` and `sdk.` are the API's and the SDKs' hosts, in every region; any other host is both."""
    host = urlsplit(url).hostname or ""
    return url.replace(f"//{host}", f"//sdk.{host.removeprefix('app.')}", 1) if host.startswith("app.") else url
