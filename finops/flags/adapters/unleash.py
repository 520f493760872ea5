"""Flags in an Unleash server, through its admin API; and what its SDKs download, through the client API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.adapters.conversing import Answer, Server, segment
from finops.flags.adapters.unleash_answers import (
    STRATEGY_CHANGED,
    ClientFeatures,
    Event,
    Events,
    Feature,
    Me,
    Named,
    Toggle,
    with_variant,
)
from finops.flags.comparing import due, type_of
from finops.flags.model import (
    Capabilities,
    DeclaredFlag,
    FlagEdit,
    FlagState,
    FlagType,
    FlagUse,
    FlagWrite,
    WriteNote,
)
from finops.flags.ports import Conflict

_NOT_FOUND: Final = 404
_NOT_MODIFIED: Final = 304
_MOST_EVENTS: Final = 1000
_READING: Final = "reading a flag"
T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Flag:
    name: str
    type: FlagType


@dataclass(frozen=True, slots=True)
class _Change:
    """A request that changes a flag."""

    flag: str
    method: str
    path: str
    body: dict[str, Any] | None = None


class Unleash:
    """Implements `FlagStore`. Flags are changed one after another.

    Unleash has no compare-and-set. A write compares first; afterwards the event log tells whether somebody else was
    quicker between the two, in which case theirs is put back where ours overwrote it, and `Conflict` is raised.
    A boolean flag is on or off in the environment, and must be on for everybody when it is on. Text and numbers are
    the payload of the one variant, in a strategy for everybody, that has all the weight.
    Our own changes are told from others' by the name of the token: it should be Flyball's alone.
    """

    capabilities: Final = Capabilities(has_history=True, tells_evaluations=True, visible_within=timedelta(seconds=5))

    def __init__(self, url: str, *, project: str, environment: str, token: str) -> None:
        self._server = Server("Unleash", url, headers={"Authorization": token}, secrets=[token])
        self._project, self._environment = project, environment
        self._us: frozenset[str] = frozenset()

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """As the port says. An archived flag is not there."""
        with self._server.call():
            return {flag.name: self._state(flag, self._toggle(flag.name)) for flag in flags}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """As the port says, one after another: an error may leave the first ones written."""
        del note  # Unleash takes no comment without change requests
        if not writes:
            return
        flags = {write.seen.flag: _Flag(write.seen.flag, type_of(write.value)) for write in writes}
        with self._server.call():
            us, last = self._names(), self._last_event(list(flags))
            toggles = {name: self._present(name) for name in flags}
            states = {name: self._state(flags[name], toggles[name]) for name in flags}
            needed = due(writes, states)
            changes = [
                self._change(flags[write.seen.flag], toggles[write.seen.flag], write.value) for write in needed
            ]  # all of them before the first is sent: one that cannot be is refused
            for change in changes:
                self._send(change)
            self._yield_to_others([(flags[write.seen.flag], write) for write in needed], last, us)

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """As the port says; the last thousand events."""
        with self._server.call():
            us = self._names()
            found = self._events([flag], since=since)
        return [
            FlagEdit(flag, event.created_at.astimezone(UTC), event.created_by, event.value, event.created_by in us)
            for event in reversed(found)
            if event.created_at >= since
        ]

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """As the port says; Unleash knows what SDKs report, in steps of minutes."""
        with self._server.call():
            return [self._use(flag.name) for flag in flags]

    def close(self) -> None:
        """As the port says."""
        self._server.close()

    def _use(self, flag: str) -> FlagUse:
        feature = self._feature(flag)
        if feature is None:
            is_archived = self._server.ask("GET", f"{self._path(flag)}{self._at}").succeeded
            return FlagUse(flag, is_archived=is_archived, note="archived" if is_archived else "not in the store")
        toggle = feature.toggle(self._environment)
        try:
            toggle.for_all(flag)
        except Permanent:
            return FlagUse(flag, _utc(toggle.last_seen_at), _utc(feature.created_at), note="strategies decide for some")
        return FlagUse(flag, _utc(toggle.last_seen_at), _utc(feature.created_at))

    def _state(self, flag: Named, toggle: Toggle | None) -> FlagState:
        return FlagState(flag.name, None if toggle is None else toggle.value(flag))

    def _toggle(self, flag: str) -> Toggle | None:
        feature = self._feature(flag)
        return None if feature is None else feature.toggle(self._environment)

    def _present(self, flag: str) -> Toggle:
        toggle = self._toggle(flag)
        if toggle is None:
            raise Permanent(f"Unleash: project {self._project} has no flag {flag}: create it there first")
        return toggle

    def _feature(self, flag: str) -> Feature | None:
        answer = self._server.ask("GET", self._path(flag))
        if answer.status == _NOT_FOUND:
            return None
        feature = self._parsed(answer, Feature, _READING)
        return None if feature.archived else feature

    def _change(self, flag: Named, toggle: Toggle, value: FlagValue) -> _Change:
        """The request that gives everybody the value. Raises `Permanent` when there is none."""
        strategy = toggle.for_all(flag.name)
        if isinstance(value, bool):
            return self._turn(flag.name, is_on=value)
        if not toggle.enabled:
            raise Permanent(f"flag {flag.name} is off in Unleash, so applications take their own default: turn it on")
        path = self._strategy(flag.name, strategy.id)
        answer = self._server.ask("GET", path)
        body = self._server.data(answer)
        if not answer.succeeded or not isinstance(body, dict):
            raise self._server.refusal(answer, f"reading {flag.name}")
        return _Change(flag.name, "PUT", path, with_variant(flag, body, value))

    def _turn(self, flag: str, *, is_on: bool) -> _Change:
        return _Change(flag, "POST", f"{self._path(flag)}{self._at}/{'on' if is_on else 'off'}")

    def _send(self, change: _Change) -> None:
        if change.body is None:
            answer = self._server.ask(change.method, change.path)
        else:
            answer = self._server.ask_json(change.method, change.path, change.body)
        if not answer.succeeded:
            raise self._server.refusal(answer, f"changing {change.flag}")

    def _yield_to_others(self, written: Sequence[tuple[Named, FlagWrite]], last: int, us: frozenset[str]) -> None:
        """Look whether somebody changed a flag after it was compared; let their change stand."""
        if not written:
            return
        events = [event for event in self._events([flag.name for flag, _ in written]) if event.id > last]
        theirs = [event for event in events if event.created_by not in us]
        changed = [flag for flag, _ in written if any(event.feature_name == flag.name for event in theirs)]
        if not changed:
            return
        for flag in changed:
            self._restore(flag, [event for event in events if event.feature_name == flag.name], us)
        who = ", ".join(sorted({event.created_by for event in theirs}))
        names = [flag.name for flag in changed]
        raise Conflict(f"{who} changed {', '.join(names)} in Unleash at the same time", names)

    def _restore(self, flag: Named, events: Sequence[Event], us: frozenset[str]) -> None:
        """Put back what they had set last, if that was before our change; `events` are the newest first."""
        telling = [event for event in events if event.turned is not None or event.type == STRATEGY_CHANGED]
        if not telling or telling[0].created_by not in us:
            return
        theirs = next((event for event in telling if event.created_by not in us), None)
        if theirs is None:
            return
        if theirs.turned is not None:
            self._send(self._turn(flag.name, is_on=theirs.turned))
        elif theirs.data is not None and isinstance(theirs.data.get("id"), str):
            body = {key: value for key, value in theirs.data.items() if key != "id" and value is not None}
            self._send(_Change(flag.name, "PUT", self._strategy(flag.name, theirs.data["id"]), body))

    def _names(self) -> frozenset[str]:
        if not self._us:
            answer = self._server.ask("GET", "/api/admin/user")
            user = self._parsed(answer, Me, "asking whose our token is").user
            self._us = frozenset(name for name in (user.email, user.username) if name)
        return self._us

    def _last_event(self, flags: Sequence[str]) -> int:
        return max((event.id for event in self._events(flags, limit=1)), default=0)

    def _events(self, flags: Sequence[str], *, since: datetime | None = None, limit: int = _MOST_EVENTS) -> list[Event]:
        """Of these flags in our environment, the newest first."""
        query = {"feature": f"IS_ANY_OF:{','.join(flags)}", "limit": str(limit)}
        if since is not None:
            query["from"] = f"IS:{since.astimezone(UTC):%Y-%m-%d}"
        answer = self._server.ask("GET", "/api/admin/search/events", query=query)
        found = self._parsed(answer, Events, "reading events").events
        return sorted(
            (event for event in found if limit == 1 or event.concerns(self._environment)),
            key=lambda event: event.id,
            reverse=True,
        )

    def _parsed(self, answer: Answer, shape: type[T], doing: str) -> T:
        if not answer.succeeded:
            raise self._server.refusal(answer, doing)
        try:
            return shape.model_validate_json(answer.body)
        except ValidationError:
            self._server.data(answer)
            raise self._server.odd(doing) from None

    def _path(self, flag: str) -> str:
        return f"/api/admin/projects/{segment(self._project)}/features/{segment(flag)}"

    def _strategy(self, flag: str, id_: str) -> str:
        return f"{self._path(flag)}{self._at}/strategies/{segment(id_)}"

    @property
    def _at(self) -> str:
        return f"/environments/{segment(self._environment)}"


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)


class UnleashClient:
    """Implements `FlagClient`: downloads what SDKs download, and evaluates it without a context."""

    def __init__(self, url: str, *, token: str) -> None:
        self._server = Server("Unleash", url, headers={"Authorization": token}, secrets=[token])
        self._last: tuple[str, Mapping[str, Toggle]] = ("", {})

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """As the port says. Raises `Permanent` for a flag that is on for some only."""
        known = self._download()
        return {flag.name: known[flag.name].value(flag) if flag.name in known else None for flag in flags}

    def close(self) -> None:
        """As the port says."""
        self._server.close()

    def _download(self) -> Mapping[str, Toggle]:
        tag, known = self._last
        headers = {"If-None-Match": tag} if tag else {}
        answer = self._server.ask("GET", "/api/client/features", headers=headers)
        if tag and answer.status == _NOT_MODIFIED:
            return known
        if not answer.succeeded:
            raise self._server.refusal(answer, "downloading flags")
        try:
            found = ClientFeatures.model_validate_json(answer.body).features
        except ValidationError:
            self._server.data(answer)
            raise self._server.odd("downloading flags") from None
        known = {toggle.name: toggle for toggle in found}
        self._last = (answer.headers.get("etag", ""), known)
        return known
