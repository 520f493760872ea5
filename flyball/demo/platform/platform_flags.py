"""The platform's feature flags, as any application reads them: through OpenFeature, from flagd's file.

On means reduced, so a flag that is missing gives full service; so does a file that is missing or broken.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient

_POLL_MILLISECONDS: Final = 200  # how often the provider looks whether the file has changed
_CACHED_SECONDS: Final = 0.2
_NUMBERS: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class Reduced:
    """What the platform does without on purpose; a field stands for the flag of its name, `_` for `-`.

    `graph_depth_limit`: how many edges a query may walk.
    """

    adaptive_sampling: bool = False
    batch_jobs_frozen: bool = False
    rate_limit_non_p0: bool = False
    llm_context_reduced: bool = False
    enrichers_paused: bool = False
    heavy_reads_from_cache: bool = False
    advanced_analytics_off: bool = False
    graph_depth_limit: int = 3
    new_tenants_blocked: bool = False
    priority_traffic_only: bool = False
    essential_endpoints_only: bool = False
    expensive_services_down: bool = False

    def flags(self) -> dict[str, bool | int]:
        """Every flag by its name, with its value."""
        return {flag_name(each.name): getattr(self, each.name) for each in fields(self)}


FULL_SERVICE: Final = Reduced()
ReadFlags = Callable[[], Reduced]


def full_service() -> Reduced:
    """The flags of a platform that has none."""
    return FULL_SERVICE


def flag_name(field_name: str) -> str:
    """How a field's flag is called outside."""
    return field_name.replace("_", "-")


class FlagsInFile:
    """Flags of a flagd file, read at most five times a second, so that requests can ask as often as they like.

    A change is seen within half a second. Safe to use from several threads.
    """

    def __init__(self, client: "OpenFeatureClient") -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known = FULL_SERVICE
        self._good_until = 0.0

    def __call__(self) -> Reduced:
        """The flags as they are now."""
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._known = self._read()
                self._good_until = time.monotonic() + _CACHED_SECONDS
            return self._known

    def _read(self) -> Reduced:
        from openfeature.provider import ProviderStatus

        if self._client.get_provider_status() is not ProviderStatus.READY:
            return FULL_SERVICE
        values: dict[str, Any] = {
            name: self._client.get_boolean_value(flag_name(name), normal)
            if isinstance(normal, bool)
            else self._client.get_integer_value(flag_name(name), normal)
            for name, normal in ((each.name, getattr(FULL_SERVICE, each.name)) for each in fields(Reduced))
        }
        return Reduced(**values)


@contextmanager
def flags_in(file: Path) -> Iterator[FlagsInFile]:
    """Flags of that file until the end of the block; it may come, go and change meanwhile."""
    from openfeature import api  # with gRPC, half a second: nobody but a running demo needs it
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType
    from openfeature.provider.no_op_provider import NoOpProvider

    # A file that is missing is told five times a second, with a traceback; full service is what comes of it.
    logging.getLogger("openfeature").addHandler(logging.NullHandler())
    domain = f"intelgraph-{next(_NUMBERS)}"  # providers are global: two platforms in one process stay apart
    api.set_provider(
        FlagdProvider(
            resolver_type=ResolverType.FILE, offline_flag_source_path=str(file), deadline_ms=_POLL_MILLISECONDS
        ),
        domain,
    )
    try:
        yield FlagsInFile(api.get_client(domain))
    finally:
        api.set_provider(NoOpProvider(), domain)  # lets go of the file
