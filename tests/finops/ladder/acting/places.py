"""Where the flags of the crash campaign are kept: a flagd file, a store in shared memory, or a real Unleash."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from controlplane.model.ladder import FlagValue
from controlplane.ports import Clock
from finops.flags.adapters import file_replacing
from finops.flags.adapters.flagd_file import FlagdFile
from finops.flags.model import DeclaredFlag
from finops.flags.ports import FlagStore
from tests.finops.ladder.acting.world import DECLARED, NORMAL

FILE: Final = "flags.flagd.json"
VARIANTS: Final[Mapping[str, Mapping[str, FlagValue]]] = {
    "context": {"full": "32000", "half": "16000", "short": "8000", "shortest": "2000"},
    "hops": {"six": 6, "four": 4, "two": 2},
}
_SWITCH: Final[Mapping[str, FlagValue]] = {"on": True, "off": False}


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
        variants = VARIANTS.get(flag, _SWITCH)
        default = next(name for name, each in variants.items() if each == value)
        flags[flag] = {"state": "ENABLED", "variants": dict(variants), "defaultVariant": default}
    path.write_text(
        json.dumps({"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": flags}, indent=2) + os.linesep
    )


def place_of(kind: str, folder: Path) -> Any:
    """The place of that kind."""
    if kind == "flagd":
        return FilePlace(folder)
    raise ValueError(kind)
