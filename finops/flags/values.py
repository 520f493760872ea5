"""A flag's value from its text, by the flag's type."""

import re
from typing import Final

from controlplane.model.ladder import FlagValue
from finops.flags.model import FlagType

_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")  # beyond, JSON readers of other languages lose digits
EXPECTED: Final = {FlagType.BOOLEAN: "true or false", FlagType.INTEGER: "a whole number", FlagType.STRING: "text"}


def typed(type_: FlagType, written: bool | str) -> FlagValue | None:
    """The value that was written, None when the flag does not take it."""
    if type_ is FlagType.BOOLEAN or isinstance(written, bool):
        return written if type_ is FlagType.BOOLEAN and isinstance(written, bool) else None
    if type_ is FlagType.STRING:
        return written
    return int(written) if _WHOLE.fullmatch(written) else None


def shown(value: FlagValue) -> str:
    """A value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def described(written: bool | str) -> str:
    """What was written, in words."""
    return shown(written) if isinstance(written, bool) else f"`{written[:60]}`"


def hint_for(type_: FlagType, written: bool | str) -> str:
    """The way out, where there is a usual one."""
    if type_ is FlagType.STRING and isinstance(written, bool):
        return "write it in quotes if text is meant"
    if type_ is FlagType.BOOLEAN and isinstance(written, str) and written.lower() in ("true", "false"):
        return "write it without quotes, in lower case"
    if type_ is FlagType.BOOLEAN and isinstance(written, str) and written.lower() in ("on", "off", "yes", "no"):
        return f"write {'true' if written.lower() in ('on', 'yes') else 'false'}"
    return ""
