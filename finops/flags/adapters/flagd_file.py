"""Flags in a flagd file: one place of it is changed, and readers see the old file or the new one, never less."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent, Transient
from finops.flags.adapters.file_replacing import Loaded, Replaced, load, locked, replace
from finops.flags.adapters.flagd_text import FlagdFlag, NotJSON, flags_of, with_defaults
from finops.flags.comparing import due, fits, shown
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagUse, FlagWrite, WriteNote
from finops.flags.ports import Conflict, NotOneValue


class FlagdFile:
    """Implements `FlagStore`. Writers of ours exclude each other with a lock file beside the flags.

    A set of flags is one new file, so all of them change or none. Somebody who edits the file without the lock is
    noticed up to the moment in which the new file takes its place. Mode, owner and extended attributes are kept, links
    are followed, and nothing but `defaultVariant` changes. The folder must be writable.
    """

    capabilities: Final = Capabilities(
        is_atomic=True, compares=True, marks_writes=True, visible_within=timedelta(seconds=2)
    )

    def __init__(self, path: Path) -> None:
        if path.suffix in (".yaml", ".yml"):
            raise Permanent(
                f"{path} is YAML: flags that Flyball writes stand in JSON, which keeps their order and text"
            )
        self._path = path

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """As the port says. A flag that is DISABLED or names no default variant does not exist for applications."""
        loaded = load(self._real_path())
        found = self._flags(loaded.text, frozenset(flag.name for flag in flags))
        return {flag.name: self._state(flag, found.get(flag.name), loaded) for flag in flags}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """As the port says; all of them or none."""
        if not writes:
            return
        path = self._real_path()
        with locked(path):
            loaded = load(path)
            found = self._flags(loaded.text, frozenset(write.seen.flag for write in writes))
            wanted = {write.seen.flag: self._variant(write, found.get(write.seen.flag)) for write in writes}
            states = {name: FlagState(name, _plain(flag.value), flag.default or "") for name, flag in found.items()}
            changes = {write.seen.flag: wanted[write.seen.flag] for write in due(writes, states)}
            if not changes:
                return
            try:
                replace(path, with_defaults(loaded.text, changes, found), loaded, dict.fromkeys(changes, note.id))
            except Replaced:
                raise Conflict(f"somebody else wrote {path} at the same time", list(changes)) from None

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """Nothing: a file does not tell who changed it."""
        del flag, since
        return []

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """Nothing is known of evaluations; targeting rules and flags that are off are noted."""
        found = self._flags(load(self._real_path()).text, frozenset(flag.name for flag in flags))
        return [FlagUse(flag.name, note=_remark(found.get(flag.name))) for flag in flags]

    def close(self) -> None:
        """Nothing is kept open."""

    def _state(self, flag: DeclaredFlag, found: FlagdFlag | None, loaded: Loaded) -> FlagState:
        last_write = loaded.writes.get(flag.name, "")
        if found is None or found.value is None:
            return FlagState(flag.name, None, last_write=last_write)
        if not fits(flag, found.value):
            told = f"is declared as {flag.type.value}: {found.default} is none"
            raise NotOneValue(f"{self._path}: flag {flag.name} {told}")
        return FlagState(flag.name, _plain(found.value), found.default or "", last_write)

    def _flags(self, text: str, names: frozenset[str]) -> dict[str, FlagdFlag]:
        try:
            return flags_of(text, names)
        except NotJSON as error:
            raise Transient(f"{self._path} is no JSON: {error}") from None
        except Permanent as error:
            raise Permanent(f"{self._path}: {error}") from None

    def _variant(self, write: FlagWrite, found: FlagdFlag | None) -> str:
        name = write.seen.flag
        if found is None:
            raise Permanent(f"{self._path}: there is no flag {name}")
        if not found.is_enabled:
            raise Permanent(
                f"{self._path}: flag {name} is DISABLED, so no application sees it: set its state to ENABLED"
            )
        if found.default is None:
            raise Permanent(f"{self._path}: flag {name} has no defaultVariant: name the variant of full service there")
        variant = found.variant_of(write.value)
        if variant is None:
            has = ", ".join(f"{name} = {shown(_plain(value))}" for name, value in list(found.variants.items())[:10])
            raise Permanent(
                f"{self._path}: flag {name} has no variant with the value {shown(write.value)}; it has {has}"
            )
        return variant

    def _real_path(self) -> Path:
        try:
            return self._path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise Transient(f"{self._path} cannot be read: {reason.lower()}") from None


def _plain(value: object) -> FlagValue | None:
    return value if isinstance(value, bool | int | str) else None


def _remark(found: FlagdFlag | None) -> str:
    if found is None:
        return "not in the file"
    if not found.is_enabled:
        return "DISABLED: applications take their own default"
    return "targeting rules decide for some" if found.has_targeting else ""
