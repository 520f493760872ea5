"""Whether flags are as they were seen."""

from collections.abc import Mapping, Sequence

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.model import DeclaredFlag, FlagState, FlagType, FlagWrite
from finops.flags.ports import Conflict

_PYTHON = {FlagType.BOOLEAN: bool, FlagType.INTEGER: int, FlagType.STRING: str}


def same(one: FlagValue | None, other: FlagValue | None) -> bool:
    """Whether two values are one; `True` is not 1."""
    return type(one) is type(other) and one == other


def fits(flag: DeclaredFlag, value: object) -> bool:
    """Whether a value is of the flag's declared type."""
    return type(value) is _PYTHON[flag.type]


def type_of(value: FlagValue) -> FlagType:
    """The type whose value it is."""
    return next(kind for kind, python in _PYTHON.items() if type(value) is python)


def differs(seen: FlagState, now: FlagState) -> bool:
    """Whether somebody changed a flag since it was seen; a version that was not seen is not compared."""
    return not same(seen.value, now.value) or bool(seen.version and now.version and seen.version != now.version)


def due(writes: Sequence[FlagWrite], now: Mapping[str, FlagState]) -> list[FlagWrite]:
    """Those that change something. Raises `Conflict` when one that is due is not as it was seen.

    What holds the wanted value already needs no write, whoever wrote it: a repeated write is one. Raises `Permanent`
    for a value of another type than the flag was seen with.
    """
    for write in writes:
        if write.seen.value is not None and type(write.seen.value) is not type(write.value):
            raise Permanent(f"flag {write.seen.flag} is {shown(write.seen.value)}, and cannot be {shown(write.value)}")
    needed = [write for write in writes if not same(now[write.seen.flag].value, write.value)]
    changed = [write for write in needed if differs(write.seen, now[write.seen.flag])]
    if changed:
        told = "; ".join(_told(write, now[write.seen.flag]) for write in changed)
        raise Conflict(f"somebody else changed {told}", [write.seen.flag for write in changed])
    return needed


def _told(write: FlagWrite, now: FlagState) -> str:
    return f"{write.seen.flag} ({shown(write.seen.value)} when it was read, {shown(now.value)} now)"


def shown(value: FlagValue | None) -> str:
    """A value for people: as YAML has it, `absent` where there is none, long text cut."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
