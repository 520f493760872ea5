"""What a lint rule is, and what it finds."""

from dataclasses import dataclass
from enum import Enum

from controlplane.model.source import SourcePosition
from controlplane.problems import Severity


class Level(Enum):
    """What a finding of a rule counts as in a workspace."""

    OFF = "off"
    WARNING = "warning"
    ERROR = "error"

    @property
    def severity(self) -> Severity | None:
        """As problems have it; None: it is not told."""
        return None if self is Level.OFF else Severity(self.value)


@dataclass(frozen=True, slots=True)
class LintRule:
    """A habit that costs something later. `needs_server`: it is checked against a live Prometheus only.

    `why` and `way_out` are Markdown for the documentation.
    """

    name: str
    summary: str
    why: str
    way_out: str
    needs_server: bool = False
    level: Level = Level.WARNING

    @property
    def page(self) -> str:
        """Its section in the documentation."""
        return f"docs/reference/lint.md#{self.name}"


class About(Enum):
    """What of an SLO a finding is about, where its document says that in a field of its own."""

    PLACE = "what stands at the position"
    OBJECTIVE = "its objective"
    WINDOW = "its window"


@dataclass(frozen=True, slots=True)
class Finding:
    """A place in a user's file that a rule is about, and what is to be said there."""

    rule: LintRule
    position: SourcePosition
    message: str
    hint: str = ""
    about: About = About.PLACE
