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
    for pattern in (_IN_AUTHORITY, _IN_QUERY, _AFTER_KEY):
        source = pattern.sub(lambda found: found[1] + b"*" * len(found[2]), source)
    return source


_WORDS = rb"[\w-]*(?:token|secret|passw(?:or)?d|credential|(?:api|app|access)[_-]?key)[\w-]*"
_IN_AUTHORITY = re.compile(rb"(://[^\s/:@\"']*:)([^\s\"']+)(?=@)")
_IN_QUERY = re.compile(rb"(?i)([?&]" + _WORDS + rb"=)([^\s&\"']+)")
_AFTER_KEY = re.compile(
    rb"(?im)((?:^|[\s{,\"'])" + _WORDS + rb"[\"']?[ \t]*:[ \t]*)(\S.*)$"
)  # up to the end of the line
