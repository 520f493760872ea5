"""Alertmanager's matchers as values."""

from dataclasses import dataclass
from enum import Enum


class MatchOperator(Enum):
    """Alertmanager's."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    DOES_NOT_MATCH = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """`name operator value`; a missing label is the empty string; expressions match the whole value (RE2)."""

    name: str
    operator: MatchOperator
    value: str
