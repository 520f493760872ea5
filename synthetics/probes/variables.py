"""`${env:NAME}` in texts: what a prober takes from its own environment, so that files hold no secrets."""

import re
from collections.abc import Mapping
from typing import Final

_REFERENCE: Final = re.compile(r"\$\{env:([^{}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class MissingVariable(Exception):
    """The prober's environment has no such variable."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set")
        self.name: Final = name


def filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values of its variables. Raises MissingVariable."""
    if "${" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        try:
            return variables[found[1]]
        except KeyError:
            raise MissingVariable(found[1]) from None

    return _REFERENCE.sub(value, text)


def named_in(text: str) -> tuple[str, ...]:
    """The names of the variables that a text takes."""
    return tuple(_REFERENCE.findall(text))


def is_name(name: str) -> bool:
    """Whether a variable may be called that."""
    return _NAME.fullmatch(name) is not None


def without_references(text: str) -> str:
    """What stands in the file itself."""
    return _REFERENCE.sub("", text)
