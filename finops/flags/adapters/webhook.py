"""Flags behind anything that takes signed requests; docs/reference/flag-webhook.md says what the other side does.

Requests are signed as Standard Webhooks are (https://www.standardwebhooks.com): headers `webhook-id`,
`webhook-timestamp`, and `webhook-signature`, `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
"""

import base64
import binascii
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.ladder import FlagValue
from controlplane.ports import Clock, Permanent
from finops.flags.adapters.conversing import Answer, Server
from finops.flags.comparing import fits
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagUse, FlagWrite, WriteNote
from finops.flags.ports import Conflict, NotOneValue

_CONFLICT: Final = 409
_PREFIX: Final = "whsec_"
_SHORTEST_KEY: Final = 16
_PUT: Final = "PUT"


class Webhook:
    """Implements `FlagStore`. The other side applies a set of changes as a whole, and compares before it does."""

    capabilities: Final = Capabilities(
        is_atomic=True, compares=True, marks_writes=True, visible_within=timedelta(seconds=30)
    )

    def __init__(self, url: str, *, secret: str, clock: Clock) -> None:
        self._key = _key(secret)
        self._clock = clock
        self._server = Server("flag webhook", url, headers={}, secrets=[secret, secret.removeprefix(_PREFIX)])
        self._reads = itertools.count(1)

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """As the port says."""
        found = self._present(flags)
        return {flag.name: self._state(flag, found.get(flag.name)) for flag in flags}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """As the port says; all of them or none."""
        if not writes:
            return
        changes: list[JSON] = [
            {
                "flag": write.seen.flag,
                "expected": write.seen.value,
                "expectedVersion": write.seen.version or None,
                "value": write.value,
            }
            for write in writes
        ]
        body = json.dumps({"id": note.id, "actor": note.actor, "reason": note.reason, "changes": changes}).encode()
        # The same write has the same id again, so that the other side need not do it twice.
        id_ = hashlib.sha256(b"\n".join((note.id.encode(), body))).hexdigest()[:32]
        answer = self._ask(_PUT, "", id_, body)
        if answer.status == _CONFLICT:
            raise self._conflict(answer, [write.seen.flag for write in writes])
        if not answer.succeeded:
            raise self._server.refusal(answer, "setting flags")

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """Nothing: the protocol does not tell."""
        del flag, since
        return []

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """Only whether it is there."""
        found = self._present(flags)
        return [FlagUse(flag.name, note="" if flag.name in found else "not in the store") for flag in flags]

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """Implements `FlagClient` where no better one is declared: what the other side has."""
        return {name: state.value for name, state in self.read(flags).items()}

    def close(self) -> None:
        """As the ports say."""
        self._server.close()

    def _present(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, JSON]:
        id_ = f"read-{self._clock.now():%Y%m%dT%H%M%S%f}-{next(self._reads)}"
        answer = self._ask("GET", ",".join(flag.name for flag in flags), id_, b"")
        if not answer.succeeded:
            raise self._server.refusal(answer, "reading flags")
        data = self._server.data(answer)
        found = data.get("flags") if isinstance(data, dict) else None
        if not isinstance(found, dict):
            raise self._server.odd("reading flags")
        return found

    def _state(self, flag: DeclaredFlag, found: JSON) -> FlagState:
        if found is None:
            return FlagState(flag.name, None)
        if not isinstance(found, dict):
            raise self._server.odd(f"reading {flag.name}")
        value = found.get("value")
        if value is not None and (not fits(flag, value) or not isinstance(value, bool | int | str)):
            raise NotOneValue(f"flag {flag.name} is declared as {flag.type.value}, and the webhook has another type")
        return FlagState(flag.name, value, str(found.get("version") or ""), str(found.get("lastWrite") or ""))

    def _conflict(self, answer: Answer, asked: Sequence[str]) -> Conflict:
        data = self._server.data(answer)
        told = data.get("conflicts") if isinstance(data, dict) else None
        flags = [flag for flag in told if flag in asked] if isinstance(told, list) else []
        shown = ", ".join(str(flag) for flag in flags or asked)
        return Conflict(f"somebody else changed {shown} behind the flag webhook", [str(flag) for flag in flags])

    def _ask(self, method: str, names: str, id_: str, body: bytes) -> Answer:
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._key, id_, timestamp, body),
            **({"Content-Type": "application/json"} if body else {}),
        }
        return self._server.ask(method, "", query={"flags": names} if names else None, content=body, headers=headers)


def signature(key: bytes, id_: str, timestamp: str, body: bytes) -> str:
    """The header's value."""
    digest = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """A secret `whsec_…` is base64, as Standard Webhooks have it; any other text is the key itself."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True) if secret.startswith(_PREFIX) else b""
    except binascii.Error:
        raise Permanent("the flag webhook's secret begins with whsec_, and what follows is no base64") from None
    key = key or secret.encode()
    if len(key) < _SHORTEST_KEY:
        raise Permanent(f"the flag webhook's secret is too short: at least {_SHORTEST_KEY} bytes")
    return key
