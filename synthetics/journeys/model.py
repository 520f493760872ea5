"""A journey: what somebody does with the platform, step by step, over its API or in a browser."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Final

from controlplane.model.source import SourcePosition
from synthetics.journeys.templates import Template, Tree
from synthetics.probes.modules import Assertion

STEP_TIMEOUT: Final = timedelta(seconds=30)  # of one request that names none


@dataclass(frozen=True, slots=True)
class SecretSource:
    """A secret as the journey calls it; its value is in `variable`, or in the file that `…_FILE` names."""

    name: str
    variable: str


@dataclass(frozen=True, slots=True)
class FormBody:
    """Fields, as HTML forms send them."""

    fields: tuple[tuple[str, Template], ...]


@dataclass(frozen=True, slots=True)
class JSONBody:
    """A JSON text."""

    tree: Tree


@dataclass(frozen=True, slots=True)
class TextBody:
    """Characters as they are."""

    text: Template


Body = FormBody | JSONBody | TextBody | None


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A request to be filled in."""

    method: str
    url: Template
    headers: tuple[tuple[str, Template], ...] = ()
    query: tuple[tuple[str, Template], ...] = ()
    body: Body = None
    timeout: timedelta = STEP_TIMEOUT
    follow_redirects: bool = True


class SaveFrom(Enum):
    """What a saved value is taken from."""

    JSON = "jsonPath"  # the first that the path finds
    HEADER = "header"
    COOKIE = "cookie"
    REGEX = "regex"  # the first group, of the body


@dataclass(frozen=True, slots=True)
class Save:
    """A value that later steps may take."""

    name: str
    origin: SaveFrom
    expression: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """An assertion; `equals` is its text to compare with, to be filled in, None when it compares with none."""

    assertion: Assertion
    equals: Template | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """The request is repeated `every` so long until everything of `until` holds, for `limit` at most."""

    until: tuple[Expectation, ...]
    every: timedelta
    limit: timedelta


@dataclass(frozen=True, slots=True)
class APIStep:
    """A request, what must hold of its answer, and what is kept of it. `always`: it runs after a failure too."""

    name: str
    request: RequestTemplate
    expect: tuple[Expectation, ...] = ()
    saves: tuple[Save, ...] = ()
    poll: Poll | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class APIFlow:
    """Steps in their order; those that always run stand last."""

    steps: tuple[APIStep, ...]


@dataclass(frozen=True, slots=True)
class BrowserFlow:
    """A test function of pytest in a file of the workspace; `function` empty: the only one there."""

    file: str  # relative to the workspace
    function: str = ""
    file_source: SourcePosition | None = field(default=None, compare=False)  # where the file and the function are named
    function_source: SourcePosition | None = field(default=None, compare=False)
    base_url: Template = field(default_factory=Template)
    keeps_artifacts: bool = True


@dataclass(frozen=True, slots=True)
class Journey:
    """What is walked, how often, and from where. `regions` empty: from everywhere.

    `timeout` is a hard limit of the whole run. `down_regions`: how many must say down before it is down everywhere;
    None: the rule of all checks.
    """

    name: str
    every: timedelta
    timeout: timedelta
    flow: APIFlow | BrowserFlow
    source: SourcePosition = field(compare=False)
    regions: frozenset[str] = frozenset()
    down_regions: int | None = None
    variables: tuple[tuple[str, str], ...] = ()
    secrets: tuple[SecretSource, ...] = ()
    environment: frozenset[str] = frozenset()  # variables that its texts take by ${env:NAME}
    display_name: str = ""
    description: str = ""
    owner: str = ""
    runbook_url: str = ""
    labels: tuple[tuple[str, str], ...] = ()
