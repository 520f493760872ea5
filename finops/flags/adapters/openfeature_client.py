"""Flags of a flagd file as an application gets them: through the OpenFeature SDK and flagd's own provider."""

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent, Transient
from finops.flags.model import DeclaredFlag, FlagType

if TYPE_CHECKING:
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.flag_evaluation import FlagEvaluationDetails

_POLL_MS: Final = 500  # the provider's own default: how often applications look at the file
_MOST_TRIES: Final = 5
_numbers = itertools.count(1)


class OpenFeatureFile:
    """Implements `FlagClient`. A thread of the provider looks at the file every half second until `close`.

    Evaluations have no context: a flag's value for everybody. Raises `Transient` when the file cannot be read at first;
    later, as applications do, it keeps the last good content.
    """

    def __init__(self, path: Path) -> None:
        from openfeature import api  # loads gRPC: only when it is used

        self._path = path
        self._domain = f"flyball-{next(_numbers)}"
        self._provider = self._started()
        self._client = api.get_client(self._domain)

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """As the port says."""
        return {flag.name: self._value(flag) for flag in flags}

    def close(self) -> None:
        """The provider's thread ends within half a second."""
        from openfeature import api
        from openfeature.provider.no_op_provider import NoOpProvider

        api.set_provider(NoOpProvider(), self._domain)
        self._provider.shutdown()

    def _started(self) -> "FlagdProvider":
        """A provider that has read the file, and notes the time of what it has read.

        It takes the time after the content: of a file replaced in between it would never see the new content.
        """
        for _ in range(_MOST_TRIES):
            before = self._stamp()
            provider = self._start()
            if self._stamp() == before:
                return provider
            provider.shutdown()
        raise Transient(f"{self._path} is replaced all the time")

    def _start(self) -> "FlagdProvider":
        from openfeature import api
        from openfeature.contrib.provider.flagd import FlagdProvider
        from openfeature.contrib.provider.flagd.config import ResolverType
        from openfeature.exception import OpenFeatureError

        provider = FlagdProvider(
            resolver_type=ResolverType.FILE, offline_flag_source_path=str(self._path), deadline_ms=_POLL_MS
        )
        try:
            api.set_provider_and_wait(provider, self._domain)
        except OpenFeatureError as error:
            provider.shutdown()
            reason = error.__cause__ or error
            raise Transient(f"{self._path}: flagd's provider cannot read it: {reason}") from None
        return provider

    def _stamp(self) -> tuple[int, int, int]:
        try:
            status = os.stat(self._path)  # noqa: PTH116 -- the provider looks at the path in the same way
        except OSError as error:
            raise Transient(f"{self._path} cannot be read: {(error.strerror or str(error)).lower()}") from None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _value(self, flag: DeclaredFlag) -> FlagValue | None:
        details = self._details(flag)
        if details.error_code is None:
            # Without a variant the value is the caller's own default: the flag is DISABLED or has none.
            return details.value if details.variant is not None else None
        if details.error_code.value == "FLAG_NOT_FOUND":
            return None
        message = f"{self._path}: flag {flag.name}: {details.error_message or details.error_code.value}"
        if details.error_code.value in ("PROVIDER_NOT_READY", "PROVIDER_FATAL"):
            raise Transient(message)
        raise Permanent(message)

    def _details(self, flag: DeclaredFlag) -> "FlagEvaluationDetails[FlagValue]":
        if flag.type is FlagType.BOOLEAN:
            return self._client.get_boolean_details(flag.name, False)
        if flag.type is FlagType.INTEGER:
            return self._client.get_integer_details(flag.name, 0)
        return self._client.get_string_details(flag.name, "")
