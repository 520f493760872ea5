"""The kind `Journey`: steps over the API, a browser test, or a workflow that is started and watched."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from synthetics.probes.spec import AssertionPart

MOST_STEPS: Final = 50
_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$"

Length = Annotated[str, StringConstraints(max_length=20)]
Name = Annotated[str, StringConstraints(pattern=_NAME)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Region = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(max_length=65_536)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=8192)]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Assertions = Annotated[list[AssertionPart], Field(max_length=50)]
Many = Annotated[int, Field(ge=1, le=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class JourneyMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to its alerts.")
    annotations: dict[str, str] = Field(default_factory=dict)


class VerdictPart(_Part):
    """When all regions together call it down."""

    down_regions: Many | None = Field(None, description="Regions that must say down. Left out: most of them.")


class SecretPart(_Part):
    """A secret by the name that steps call it."""

    name: Name
    env: Variable = Field(description="The variable that holds it; or NAME_FILE, the path of a file that does.")


class JourneyHTTPPart(_Part):
    """A request. Its texts may hold ${name}, ${secret:NAME}, ${env:NAME}, ${now} and ${unique}."""

    method: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,20}$")] | None = Field(
        None, description="Left out: GET, or POST where there is something to send."
    )
    url: Short
    headers: dict[Header, Annotated[str, StringConstraints(max_length=8192)]] = Field(
        default_factory=dict, max_length=50
    )
    query: dict[str, Text] = Field(default_factory=dict, max_length=100)
    json_: Any = Field(None, alias="json", description="What is sent as JSON.")
    form: dict[str, Text] | None = Field(None, max_length=100, description="What is sent as an HTML form sends it.")
    body: Text | None = Field(None, description="What is sent as it is.")
    timeout: Length | None = Field(None, description="Of this request. Left out: 30s.")
    follow_redirects: bool = True


class SavePart(_Part):
    """A value for later steps. Exactly one of jsonPath, header, cookie and regex."""

    name: Name
    json_path: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = Field(
        None, description="RFC 9535, from `$` on; the first that it finds."
    )
    header: Header | None = None
    cookie: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    regex: Pattern | None = Field(None, description="RE2 over the body; its first group, or all of it.")


class PollPart(_Part):
    """The request is repeated until all of this holds."""

    until: Annotated[list[AssertionPart], Field(min_length=1, max_length=50)]
    every: Length = "2s"
    limit: Length = Field(alias="for", description="How long at most.")


class StepPart(_Part):
    """A request, what must hold of its answer, and what is kept of it."""

    name: Line
    http: JourneyHTTPPart
    expect: Assertions = Field([], description="Where it says nothing of the status: 2xx.")
    save: Annotated[list[SavePart], Field(max_length=50)] = []
    poll: PollPart | None = None
    always: bool = Field(False, description="It runs after a failure too, to clean up.")


class StartPart(_Part):
    """The request that starts a workflow."""

    http: JourneyHTTPPart
    expect: Assertions = []
    save: Annotated[list[SavePart], Field(max_length=50)] = []


class DonePart(_Part):
    """The request that tells whether a workflow is done, and what must then hold."""

    http: JourneyHTTPPart
    expect: Assertions = Field([], description="Of every answer, done or not.")
    until: Annotated[list[AssertionPart], Field(min_length=1, max_length=50)]
    every: Length = "2s"


class WorkflowPart(_Part):
    """Something that is started, and must be done within a time: the steps `start` and `done`."""

    start: StartPart
    done: DonePart
    within: Length


class BrowserPart(_Part):
    """A function of pytest with pytest-playwright's fixtures, and `step`, `secret` and `variable`."""

    file: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        description="From the workspace's root: journeys/test_core_flow.py."
    )
    function: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")] | None = Field(
        None, description="Left out: the only one of the file."
    )
    base_url: Annotated[str, StringConstraints(max_length=2000)] = Field(
        "", description="Where addresses such as /sign-in begin."
    )
    artifacts: Literal["failure", "none"] = Field("failure", description="Screenshot and trace of runs that fail.")


class JourneySpec(_Part):
    """What is walked, how often, and from where. Exactly one of steps, browser and workflow."""

    description: str = ""
    interval: Length
    timeout: Length = Field("60s", description="A hard limit of the whole run.")
    regions: Annotated[list[Region], Field(max_length=100)] = Field([], description="Left out: all.")
    verdict: VerdictPart = VerdictPart()
    variables: dict[Name, Text] = Field(default_factory=dict, max_length=100)
    secrets: Annotated[list[SecretPart], Field(max_length=50)] = []
    steps: Annotated[list[StepPart], Field(min_length=1, max_length=MOST_STEPS)] | None = None
    browser: BrowserPart | None = None
    workflow: WorkflowPart | None = None


class JourneyDocument(_Part):
    """kind: Journey."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Journey"]
    metadata: JourneyMetadata
    spec: JourneySpec
