"""Settings of the event intake and of collectors of deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from flyball.secret import Secret
from flyball.setting_names import DEFAULT_VALUES


@dataclass(frozen=True, slots=True)
class EventSettings:
    """`tokens` open `/events` and the senders that sign nothing; any of several is taken, so that they can be changed.

    `signing` are the secrets of senders that sign, by their names; a sender without any is refused. `clock_tolerance`
    is by how much the time of an event may lie ahead of our clock. `repositories` keeps clones.
    """

    tokens: tuple[Secret, ...] = ()
    signing: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    clock_tolerance: timedelta = timedelta(seconds=int(DEFAULT_VALUES["events.clockToleranceSeconds"]))
    kept: timedelta = timedelta(days=int(DEFAULT_VALUES["events.keptDays"]))
    repositories: Path = Path(DEFAULT_VALUES["events.repositoriesDirectory"])

    def secrets(self) -> tuple[Secret, ...]:
        """What must not show."""
        return (*self.tokens, *(secret for several in self.signing.values() for secret in several))
