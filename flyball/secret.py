"""Values that must not show."""

import re


class Secret:
    """A value that never shows: `str`, `repr` and formats give `***`; `reveal()` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; keep it out of logs, errors and files."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def masked(source: bytes) -> bytes:
    """A settings file fit for showing in a report: passwords in URLs and values of secret-looking keys become `*`."""
    stars = re.sub(rb"(://[^\s/:@\"']*:)([^\s\"']+)(?=@)", lambda m: m[1] + b"*" * len(m[2]), source)
    secret_key = rb"(?im)^(\s*[\w-]*(?:token|secret|password|passwd|credential|apikey)[\w-]*\s*:[ \t]*)(\S.*)$"
    return re.sub(secret_key, lambda m: m[1] + b"*" * len(m[2]), stars)
