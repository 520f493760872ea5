"""Runbooks, as declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from alerts.routing.model import Matcher
from controlplane.model.source import SourcePosition


class StepKind(Enum):
    """What a step does."""

    HTTP = "http"
    FLAG = "flag"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """`settings` by kind: http `method`, `url`, `body`, `expect`, `headersFrom.*`; flag `store`, `flag`, `value`;
    command `run` (a name on the allow-list), `args.0`, `args.1`, …

    `is_automatic`: policy runs it without asking, else somebody approves it. `changes`: whether it changes anything;
    a step that does not is run in a dry run, too.
    """

    name: str
    kind: StepKind
    settings: Mapping[str, str]
    timeout: timedelta = timedelta(seconds=30)
    is_automatic: bool = False
    changes: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Runbook:
    """`url` is where people read it; `file` a Markdown file of the workspace, which the console shows.

    `matchers` (OR between the groups) name alerts that it is for when they link none themselves.
    """

    name: str
    title: str = ""
    url: str = ""
    file: str = ""
    matchers: tuple[tuple[Matcher, ...], ...] = ()
    steps: tuple[RunbookStep, ...] = ()
    starts_by_itself: bool = False  # its automatic steps run when an incident opens
    labels: Mapping[str, str] = field(default_factory=dict)
    source: SourcePosition | None = None
