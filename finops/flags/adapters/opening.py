"""A declared flag store, opened: its adapter, and a client that sees flags as applications do."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from controlplane.ports import Clock, Permanent
from finops.flags.adapters.memory import MemoryClient, MemoryFlags
from finops.flags.model import DeclaredStore
from finops.flags.ports import FlagClient, FlagStore


class Opened:
    """Implements `OpenedStore`. The client begins to listen when it is first asked for."""

    def __init__(self, store: FlagStore, start_client: Callable[[], FlagClient]) -> None:
        self.store: Final = store
        self._start_client = start_client
        self._client: FlagClient | None = None
        self._lock = Lock()

    @property
    def client(self) -> FlagClient:
        """As an application would see them. Raises `Transient` when it cannot begin now."""
        with self._lock:
            if self._client is None:
                self._client = self._start_client()
            return self._client

    def close(self) -> None:
        """Give back connections and threads of both."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None
        self.store.close()


@dataclass(frozen=True, slots=True)
class _Opening:
    """What an adapter is opened with. `variables` are the environment, with secrets that files hold already read."""

    declared: DeclaredStore
    folder: Path
    variables: Mapping[str, str]
    clock: Clock
    memory: MutableMapping[str, MemoryFlags]

    def needed(self, key: str) -> str:
        """An option that its type cannot do without."""
        value = self.declared.option(key)
        if not value:
            raise Permanent(f"FlagStore {self.declared.name}: {self.declared.type} needs `{key}`")
        return value

    def secret(self, key: str) -> str:
        """What the variable holds that the option names. Raises `Permanent` with its name when it is empty."""
        variable = self.needed(key)
        value = self.variables.get(variable, "").strip()
        if not value:
            raise Permanent(f"FlagStore {self.declared.name} needs {variable} or {variable}_FILE in the environment")
        return value

    def secret_if_named(self, key: str) -> str:
        """The same, empty when the option is left out."""
        return self.secret(key) if self.declared.option(key) else ""


def open_declared(
    store: DeclaredStore,
    *,
    folder: Path,
    variables: Mapping[str, str],
    clock: Clock,
    memory: MutableMapping[str, MemoryFlags] | None = None,
) -> Opened:
    """Open it; nothing is asked yet. `folder` is the workspace, which a relative path begins at.

    `memory` keeps what stores of type `memory` hold, by name, from one opening to the next. Raises `Permanent` for a
    type that is not known, a secret that is not there, or an address that is none.
    """
    opener = _OPENERS.get(store.type)
    if opener is None:
        raise Permanent(f"FlagStore {store.name}: type `{store.type}` is none of {', '.join(_OPENERS)}")
    return opener(_Opening(store, folder, variables, clock, {} if memory is None else memory))


def _memory(opening: _Opening) -> Opened:
    name = opening.declared.name
    if name not in opening.memory:
        opening.memory[name] = MemoryFlags({flag.name: flag.normal for flag in opening.declared.flags}, opening.clock)
    flags = opening.memory[name]
    return Opened(flags, _beside(opening, lambda: MemoryClient(flags)))


def _flagd(opening: _Opening) -> Opened:
    from finops.flags.adapters.flagd_file import FlagdFile
    from finops.flags.adapters.openfeature_client import OpenFeatureFile

    path = opening.folder / opening.needed("file")
    return Opened(FlagdFile(path), _beside(opening, lambda: OpenFeatureFile(path)))


def _unleash(opening: _Opening) -> Opened:
    from finops.flags.adapters.unleash import Unleash, UnleashClient

    url, token = opening.needed("url"), opening.secret("tokenFrom")
    # Where clients read by OFREP, nobody needs Unleash's own token for them.
    client_token = "" if opening.declared.option("ofrep.url") else opening.secret("clientTokenFrom")
    store = Unleash(url, project=opening.needed("project"), environment=opening.needed("environment"), token=token)
    return Opened(store, _beside(opening, lambda: UnleashClient(url, token=client_token)))


def _launchdarkly(opening: _Opening) -> Opened:
    from finops.flags.adapters.launchdarkly import LaunchDarkly, LaunchDarklyClient

    url, sdk_key = opening.needed("url"), opening.secret_if_named("sdkKeyFrom")
    store = LaunchDarkly(
        url,
        project=opening.needed("project"),
        environment=opening.needed("environment"),
        token=opening.secret("tokenFrom"),
    )
    return Opened(store, _beside(opening, lambda: LaunchDarklyClient(url, sdk_key=sdk_key) if sdk_key else store))


def _webhook(opening: _Opening) -> Opened:
    from finops.flags.adapters.webhook import Webhook

    store = Webhook(opening.needed("url"), secret=opening.secret("secretFrom"), clock=opening.clock)
    return Opened(store, _beside(opening, lambda: store))


def _ofrep(opening: _Opening) -> Opened:
    from finops.flags.adapters.ofrep import Ofrep

    store = Ofrep(opening.needed("url"), token=opening.secret_if_named("tokenFrom"))
    return Opened(store, lambda: store)


def _beside(opening: _Opening, otherwise: Callable[[], FlagClient]) -> Callable[[], FlagClient]:
    """The client that `ofrep` beside the store declares, or the store's own."""
    from finops.flags.adapters.ofrep import Ofrep

    if not opening.declared.option("ofrep.url"):
        return otherwise
    url, token = opening.needed("ofrep.url"), opening.secret_if_named("ofrep.tokenFrom")
    return lambda: Ofrep(url, token=token)


_OPENERS: Final[dict[str, Callable[[_Opening], Opened]]] = {
    "flagd": _flagd,
    "unleash": _unleash,
    "launchdarkly": _launchdarkly,
    "webhook": _webhook,
    "ofrep": _ofrep,
    "memory": _memory,
}
