"""Trackers, as declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from controlplane.model.source import SourcePosition


class TrackerKind(Enum):
    """Where tickets are kept."""

    FILE = "file"
    GITHUB = "github"
    GITLAB = "gitlab"
    JIRA = "jira"


@dataclass(frozen=True, slots=True)
class Tracker:
    """`takes`: `cost` (events `cost.issue`), `actions` (of postmortems). `settings` by kind: file `directory`;
    github `repository`, `tokenFrom`, `url`; gitlab `project`, `tokenFrom`, `url`; jira `project`, `issueType`,
    `userFrom`, `tokenFrom`, `url`, `closeTransition`.
    """

    name: str
    kind: TrackerKind
    takes: frozenset[str]
    settings: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    source: SourcePosition | None = None
