"""Where the flags of the crash campaign are kept: a flagd file, a store in shared memory, or a real Unleash."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from sqlalchemy import create_engine, text

from controlplane.model.ladder import FlagValue
from controlplane.ports import Clock
from controlplane.store.tables import metadata
from finops.flags.adapters import file_replacing
from finops.flags.adapters.flagd_file import FlagdFile
from finops.flags.adapters.unleash import Unleash
from finops.flags.model import DeclaredFlag, FlagWrite, WriteNote
from finops.flags.ports import FlagStore
from tests.finops.flags import unleash_server
from tests.finops.ladder.acting.world import DECLARED, NORMAL, SimulatedClock, at_tier

FILE: Final = "flags.flagd.json"
VARIANTS: Final[Mapping[str, Mapping[str, FlagValue]]] = {
    "context": {"full": "32000", "half": "16000", "short": "8000", "shortest": "2000"},
    "hops": {"six": 6, "four": 4, "two": 2},
}
SWITCH: Final[Mapping[str, FlagValue]] = {"on": True, "off": False}


class Place(Protocol):
    """A kind of flag store, as the campaign needs it. `is_blind`: clients see nothing."""

    is_blind: bool

    @property
    def blind_spots(self) -> frozenset[tuple[str, int]]:
        """Statements before which nobody can change a flag without its being lost, as the adapter says itself."""
        ...

    def store(self, clock: Clock) -> FlagStore: ...

    def client(self, clock: Clock) -> "StoreClient": ...

    def read(self, flag: str) -> FlagValue | None: ...

    def edit(self, flag: str, value: FlagValue) -> None: ...

    def restore(self, template: Path, tier: int) -> None: ...


@dataclass
class StoreClient:
    """An application that asks the store itself."""

    inner: FlagStore
    place: Any

    def values(self, flags: list[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        found = self.inner.read(flags)
        return {flag.name: None if self.place.is_blind else found[flag.name].value for flag in flags}

    def close(self) -> None: ...


@dataclass
class FilePlace:
    """A flagd file; people save it whole, as editors do."""

    folder: Path
    is_blind: bool = False

    @property
    def blind_spots(self) -> frozenset[tuple[str, int]]:
        """Between the last look at the file and its replacement there is one statement: the replacement."""
        path = Path(file_replacing.__file__)
        lines = path.read_text().splitlines()
        return frozenset((str(path), number) for number, text in enumerate(lines, 1) if "new.rename(path)" in text)

    @property
    def path(self) -> Path:
        return self.folder / FILE

    def store(self, clock: Clock) -> FlagStore:
        return FlagdFile(self.path)

    def client(self, clock: Clock) -> StoreClient:
        return StoreClient(FlagdFile(self.path), self)

    def read(self, flag: str) -> FlagValue | None:
        return FlagdFile(self.path).read([each for each in DECLARED.flags if each.name == flag])[flag].value

    def edit(self, flag: str, value: FlagValue) -> None:
        document = json.loads(self.path.read_text())
        variants = document["flags"][flag]["variants"]
        document["flags"][flag]["defaultVariant"] = next(
            name for name, each in variants.items() if each == value and type(each) is type(value)
        )
        new = self.path.with_suffix(".edited")
        new.write_text(json.dumps(document, indent=2))
        new.rename(self.path)

    def restore(self, template: Path, tier: int) -> None:
        for old in self.folder.glob(f"*{FILE}*"):
            old.unlink()
        for name in (FILE, f".{FILE}.writes"):
            source = template / f"tier-{tier}{name if name.startswith('.') else '.' + name}"
            if source.exists():
                shutil.copyfile(source, self.folder / name)

    def keep(self, template: Path, tier: int) -> None:
        """The template of a tier."""
        for name in (FILE, f".{FILE}.writes"):
            if (self.folder / name).exists():
                shutil.copyfile(
                    self.folder / name, template / f"tier-{tier}{name if name.startswith('.') else '.' + name}"
                )


def write_file(path: Path, values: Mapping[str, FlagValue] = NORMAL) -> None:
    """A flagd document with these flags."""
    flags = {}
    for flag, value in values.items():
        variants = VARIANTS.get(flag, SWITCH)
        default = next(name for name, each in variants.items() if each == value)
        flags[flag] = {"state": "ENABLED", "variants": dict(variants), "defaultVariant": default}
    path.write_text(
        json.dumps({"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": flags}, indent=2) + os.linesep
    )


@dataclass
class UnleashPlace:
    """A real Unleash; people use its own console, signed in as somebody who is not us. `session` is their cookie."""

    url: str
    session: str
    is_blind: bool = False
    blind_spots: frozenset[tuple[str, int]] = frozenset()

    def store(self, clock: Clock) -> FlagStore:
        return Unleash(
            self.url, project=unleash_server.PROJECT, environment=unleash_server.ENVIRONMENT, token=unleash_server.TOKEN
        )

    def client(self, clock: Clock) -> StoreClient:
        return StoreClient(self.store(clock), self)

    def read(self, flag: str) -> FlagValue | None:
        with closing(self.store(REAL)) as store:
            return store.read([each for each in DECLARED.flags if each.name == flag])[flag].value

    def edit(self, flag: str, value: FlagValue) -> None:
        with httpx.Client(base_url=self.url, timeout=30, cookies=json.loads(self.session)) as browser:
            person = unleash_server.UnleashServer(self.url, browser)
            if isinstance(value, bool):
                person.turn(flag, on=value)
            else:
                person.choose(flag, str(value))

    def create(self) -> None:
        """All flags, at full service."""
        with httpx.Client(base_url=self.url, timeout=30, cookies=json.loads(self.session)) as browser:
            person = unleash_server.UnleashServer(self.url, browser)
            for flag, value in NORMAL.items():
                if isinstance(value, bool):
                    person.create(flag, on=value)
                else:
                    kind = "number" if isinstance(value, int) else "string"
                    person.serve(flag, [str(each) for each in VARIANTS[flag].values()], str(value), kind=kind)

    def restore(self, template: Path, tier: int) -> None:
        """As we would have left it: what a person did in the run before is not the last thing in any flag's history."""
        wanted, note = at_tier(tier), WriteNote("tests", "anew")
        since = REAL.now() - timedelta(minutes=2)
        with closing(self.store(REAL)) as store:
            edits = {flag: store.history(flag, since) for flag in wanted}
            others = {
                flag: next(each for each in VARIANTS.get(flag, SWITCH).values() if each != wanted[flag])
                for flag, known in edits.items()
                if known and not known[-1].is_ours
            }
            found = store.read(DECLARED.flags)
            store.write([FlagWrite(found[flag], value) for flag, value in others.items()], note)
            found = store.read(DECLARED.flags)
            store.write([FlagWrite(found[flag], value) for flag, value in wanted.items()], note)


class _Real:
    def now(self) -> datetime:
        return datetime.now(UTC)


REAL: Final = _Real()


class RealClock(SimulatedClock):
    """The time of day, which the Unleash server's log has too; waits are skipped, and `late` is added."""

    late: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    def wait(self, seconds: float) -> None:
        return


def place_of(kind: str, folder: Path) -> Any:
    """The place of that kind: `flagd`, or `unleash URL COOKIES`."""
    if kind == "flagd":
        return FilePlace(folder)
    _, url, session = kind.split(" ", 2)
    return UnleashPlace(url, session)


def copied_tables(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that a database holds."""
    engine = create_engine(url)
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in metadata.sorted_tables
        }


def load_tables(url: str, kept: Mapping[str, list[dict[str, Any]]]) -> None:
    """A PostgreSQL database that holds just that."""
    engine = create_engine(url)
    with engine.begin() as connection:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        for table in metadata.sorted_tables:
            numbered = {column.name for column in table.columns if column.identity is not None}  # anew, the same
            rows = [{key: each for key, each in row.items() if key not in numbered} for row in kept[table.name]]
            if rows:
                connection.execute(table.insert(), rows)
    engine.dispose()
