"""Every flag store with a person beside it, so that one suite can ask the same of all of them."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from controlplane.model.ladder import FlagValue
from controlplane.model.source import SourcePosition
from finops.flags.adapters.memory import MemoryFlags
from finops.flags.adapters.opening import Opened, open_declared
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagType
from tests.finops.flags import launchdarkly_server, ofrep_server, unleash_server, webhook_receiver
from tests.finops.flags.launchdarkly_server import LaunchDarklyServer
from tests.finops.flags.serving import serving
from tests.finops.flags.unleash_server import UnleashServer
from tests.finops.flags.webhook_receiver import Receiver

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SOURCE = SourcePosition("flags.yaml", 1, 1)
PERSON = "ann"
TYPES = {bool: FlagType.BOOLEAN, int: FlagType.INTEGER, str: FlagType.STRING}


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Bench:
    """`create(flag, values, now)` and `edit(flag, value)` are done by ann, as people do it in that store."""

    opened: Opened
    create: Callable[[str, Sequence[FlagValue], FlagValue], None]
    edit: Callable[[str, FlagValue], None]
    takes_any_value: bool = False  # it keeps no list of a flag's values
    prefix: str = field(default_factory=lambda: f"f{uuid4().hex[:8]}")

    def flag(self, name: str, *values: FlagValue) -> DeclaredFlag:
        """A flag with these values, the first of them now."""
        name = f"{self.prefix}-{name}"
        self.create(name, values, values[0])
        return declared(name, values[0])


def declared(name: str, value: FlagValue = False) -> DeclaredFlag:
    return DeclaredFlag(name, TYPES[type(value)], value, "team", SOURCE)


def opened(
    type_: str, options: dict[str, str], folder: Path = Path(), variables: dict[str, str] | None = None
) -> Opened:
    store = DeclaredStore("platform", type_, tuple(options.items()), (), SOURCE)
    return open_declared(store, folder=folder, variables=variables or {}, clock=Clock())


def document(flags: dict[str, object]) -> str:
    head = {"$schema": "https://flagd.dev/schema/v0/flags.json", "metadata": {"team": "platform"}}
    return json.dumps({**head, "flags": flags}, indent=2) + "\n"


def entry(values: Sequence[FlagValue], now: FlagValue) -> dict[str, object]:
    names = {f"v{number}": value for number, value in enumerate(values)}
    chosen = next(name for name, value in names.items() if type(value) is type(now) and value == now)
    return {"state": "ENABLED", "variants": names, "defaultVariant": chosen}


def flagd_editing(path: Path) -> tuple[Callable[[str, Sequence[FlagValue], FlagValue], None], Callable[..., None]]:
    """A person with an editor that saves a new file."""

    def save(flags: dict[str, object]) -> None:
        new = path.with_suffix(".edited")
        new.write_text(document(flags))
        new.rename(path)

    def create(flag: str, values: Sequence[FlagValue], now: FlagValue) -> None:
        save({**json.loads(path.read_text())["flags"], flag: entry(values, now)})

    def edit(flag: str, value: FlagValue) -> None:
        flags = json.loads(path.read_text())["flags"]
        save({**flags, flag: entry(list(flags[flag]["variants"].values()), value)})

    return create, edit


@contextmanager
def memory_bench() -> Iterator[Bench]:
    flags = MemoryFlags({}, Clock())
    store = DeclaredStore("platform", "memory", (), (), SOURCE)
    opening = open_declared(store, folder=Path(), variables={}, clock=Clock(), memory={"platform": flags})

    def create(flag: str, values: Sequence[FlagValue], now: FlagValue) -> None:
        flags.edit(flag, now, PERSON)

    yield Bench(opening, create, lambda flag, value: flags.edit(flag, value, PERSON), takes_any_value=True)


@contextmanager
def flagd_bench(folder: Path) -> Iterator[Bench]:
    path = folder / "flags.flagd.json"
    path.write_text(document({}))
    opening = opened("flagd", {"file": path.name}, folder)
    try:
        yield Bench(opening, *flagd_editing(path))
    finally:
        opening.close()


@contextmanager
def webhook_bench() -> Iterator[Bench]:
    receiver = Receiver(NOW.timestamp())

    def create(flag: str, values: Sequence[FlagValue], now: FlagValue) -> None:
        receiver.choices[flag] = list(values)
        receiver.edit(flag, now)

    with serving(receiver) as url:
        opening = opened(
            "webhook", {"url": f"{url}/hooks", "secretFrom": "S"}, variables={"S": webhook_receiver.SECRET}
        )
        yield Bench(opening, create, receiver.edit)
        opening.close()


@contextmanager
def launchdarkly_bench() -> Iterator[Bench]:
    server = LaunchDarklyServer()

    def create(flag: str, values: Sequence[FlagValue], now: FlagValue) -> None:
        server.create(flag, list(values), now)

    def edit(flag: str, value: FlagValue) -> None:
        held = server.flags[flag]["variations"]
        id_ = next(each["_id"] for each in held if type(each["value"]) is type(value) and each["value"] == value)
        server.change(flag, [{"kind": "updateFallthroughVariationOrRollout", "variationId": id_}], PERSON)

    options = {
        "url": "", "project": launchdarkly_server.PROJECT, "environment": launchdarkly_server.ENVIRONMENT,
        "tokenFrom": "T", "sdkKeyFrom": "K",
    }  # fmt: skip
    with serving(server) as url:
        variables = {"T": launchdarkly_server.TOKEN, "K": launchdarkly_server.SDK_KEY}
        opening = opened("launchdarkly", {**options, "url": url}, variables=variables)
        yield Bench(opening, create, edit)
        opening.close()


@contextmanager
def unleash_bench(server: UnleashServer) -> Iterator[Bench]:
    def create(flag: str, values: Sequence[FlagValue], now: FlagValue) -> None:
        if isinstance(now, bool):
            server.create(flag, on=now)
        else:
            server.serve(flag, [str(value) for value in values], str(now))

    def edit(flag: str, value: FlagValue) -> None:
        if isinstance(value, bool):
            server.turn(flag, on=value)
        else:
            server.choose(flag, str(value))

    opening = opened_unleash(server.url)
    yield Bench(opening, create, edit)
    opening.close()


def opened_unleash(url: str) -> Opened:
    options = {
        "url": url, "project": unleash_server.PROJECT, "environment": unleash_server.ENVIRONMENT,
        "tokenFrom": "T", "clientTokenFrom": "C",
    }  # fmt: skip
    variables = {"T": unleash_server.TOKEN, "C": unleash_server.CLIENT_TOKEN}
    return opened("unleash", options, variables=variables)


@contextmanager
def ofrep_bench(folder: Path) -> Iterator[Bench]:
    path = folder / "served.flagd.json"
    path.write_text(document({}))
    with serving(ofrep_server.OfrepServer(path)) as url:
        opening = opened("ofrep", {"url": url, "tokenFrom": "T"}, variables={"T": ofrep_server.TOKEN})
        yield Bench(opening, *flagd_editing(path))
        opening.close()
