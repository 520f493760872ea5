"""Which alerts keep others quiet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert fires that all of `source` matches, those that `target` matches are muted, if `equal` agree.

    Matchers are Alertmanager's: `name="value"`, `name=~"expression"` and their negations.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    equal: tuple[str, ...]
