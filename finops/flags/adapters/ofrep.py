"""Flags as a server evaluates them that speaks OFREP, the OpenFeature Remote Evaluation Protocol 0.1.

flagd, GO Feature Flag and Flipt do. https://github.com/open-feature/protocol/blob/main/service/openapi.yaml
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.adapters.conversing import Server, segment
from finops.flags.comparing import fits
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagUse, FlagWrite, WriteNote

_NOT_FOUND: Final = 404
_CONTEXT: Final[JSON] = {"context": {"targetingKey": "flyball"}}  # some servers evaluate nothing without a key


class Ofrep:
    """Implements `FlagClient`, and a `FlagStore` that is only read. `token` is sent as a bearer token when it is given.

    The evaluation has no context but a key, so a flag with rules shows what `flyball` would get.
    """

    capabilities: Final = Capabilities(can_write=False, visible_within=timedelta(seconds=30))

    def __init__(self, url: str, *, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._server = Server("OFREP server", url, headers=headers, secrets=[token])

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """As the port says. A flag whose answer has no value is one that applications take their own default for."""
        with self._server.call():
            return {flag.name: self._value(flag) for flag in flags}

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """As the port says."""
        return {name: FlagState(name, value) for name, value in self.values(flags).items()}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """Refused: the protocol cannot write."""
        del note
        if writes:
            raise Permanent("OFREP is only read: declare the store behind it, and OFREP beside it for what clients see")

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """Nothing: the protocol does not tell."""
        del flag, since
        return []

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """Only whether it is there."""
        found = self.values(flags)
        return [FlagUse(flag.name, note="" if found[flag.name] is not None else "not in the store") for flag in flags]

    def close(self) -> None:
        """As the ports say."""
        self._server.close()

    def _value(self, flag: DeclaredFlag) -> FlagValue | None:
        doing = f"evaluating {flag.name}"
        answer = self._server.ask_json("POST", f"/ofrep/v1/evaluate/flags/{segment(flag.name)}", _CONTEXT)
        if answer.status == _NOT_FOUND:
            told = self._server.data(answer)
            if isinstance(told, dict) and told.get("errorCode") == "FLAG_NOT_FOUND":
                return None
            raise self._server.refusal(answer, doing)
        if not answer.succeeded:
            raise self._server.refusal(answer, doing)
        found = self._server.data(answer)
        if not isinstance(found, dict):
            raise self._server.odd(doing)
        value = found.get("value")
        if value is None:
            return None
        if not fits(flag, value) or not isinstance(value, bool | int | str):
            raise Permanent(f"flag {flag.name} is declared as {flag.type.value}, and the OFREP server has another type")
        return value
