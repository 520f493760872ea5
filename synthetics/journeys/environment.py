"""A journey's secrets, from the environment of the process that runs it or from the files that it names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from synthetics.journeys.model import Journey
from synthetics.masking import LEAST_LENGTH

ReadFile = Callable[[Path], bytes]
_FILE: Final = "_FILE"
_MOST_BYTES: Final = 65_536


def variables_named(journey: Journey) -> frozenset[str]:
    """The names of all variables that a journey may take from its process's environment."""
    own = {secret.variable for secret in journey.secrets}
    return frozenset({*own, *(name + _FILE for name in own), *journey.environment})


class NoSecret(Exception):
    """A secret cannot be had; the text says why, and holds none of it."""


def _beginning(path: Path) -> bytes:
    """As much of a file as a secret may have, and one byte more."""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES + 1)


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables, and a way to read the files that they name. It never shows."""

    variables: Mapping[str, str]
    read_file: ReadFile = _beginning

    def __repr__(self) -> str:
        return "Environment(***)"

    def secrets_of(self, journey: Journey) -> dict[str, str]:
        """Its secrets by name. Raises `NoSecret`."""
        return {secret.name: self._secret(secret.name, secret.variable) for secret in journey.secrets}

    def variables_of(self, journey: Journey) -> dict[str, str]:
        """What its texts take by ${env:NAME}; what is not set lacks."""
        return {name: self.variables[name] for name in sorted(journey.environment) if name in self.variables}

    def _secret(self, name: str, variable: str) -> str:
        value = self.variables.get(variable)
        if value is None and variable + _FILE in self.variables:
            value = self._from_file(variable + _FILE)
        if not value:
            raise NoSecret(f"secret `{name}`: set {variable}, or {variable}_FILE to the path of a file that holds it")
        if len(value) < LEAST_LENGTH:
            raise NoSecret(f"secret `{name}`: shorter than {LEAST_LENGTH} characters, it cannot be kept out of reports")
        return value

    def _from_file(self, variable: str) -> str:
        try:
            content = self.read_file(Path(self.variables[variable]))
            if len(content) > _MOST_BYTES:
                raise NoSecret(f"the file that {variable} names is too large")
            return content.decode().rstrip("\r\n")
        except OSError as error:
            raise NoSecret(f"the file that {variable} names cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise NoSecret(f"the file that {variable} names is no UTF-8") from None
