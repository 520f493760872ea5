"""The kind `Runbook`: what to do about some alerts, for people to read, and as steps."""

from typing import Annotated, Final, Literal

from pydantic import Field, StrictBool, StringConstraints

from alerts.routing.spec import Address, LengthText, Line, Matchers, Metadata, Part, Plain, Variable

MOST_STEPS: Final = 50
MOST_GROUPS: Final = 50
MOST_HEADERS: Final = 20
MOST_ARGUMENTS: Final = 50

Approval = Literal["required", "automatic"]
Argument = Annotated[str, StringConstraints(max_length=2000)]


class HTTPStepPart(Part):
    """A request."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Address
    body: Annotated[str, StringConstraints(max_length=65_536)] = ""
    expect: Annotated[str, StringConstraints(pattern=r"^[1-5](\d{2}|xx)$")] = Field(
        "2xx", description="The status that is success: 204, or 2xx for any of that hundred."
    )
    headers_from: Annotated[dict[Line, Variable], Field(max_length=MOST_HEADERS)] = Field(
        default_factory=dict, description="Headers whose values are secrets: name, and the variable that holds it."
    )
    headers: Plain = None


class FlagStepPart(Part):
    """A change of a flag that a FlagStore declares."""

    store: Line
    flag: Line
    value: Annotated[str | StrictBool, Field(description="As the flag's type has it: true, 3, slow.")]


class CommandStepPart(Part):
    """A command of the allow-list, without a shell."""

    run: Line = Field(description="Its name on the allow-list, no path.")
    args: Annotated[list[Argument], Field(max_length=MOST_ARGUMENTS)] = Field(default_factory=list)


class StepPart(Part):
    """One step: exactly one of http, flag and command."""

    name: Line
    http: HTTPStepPart | None = None
    flag: FlagStepPart | None = None
    command: CommandStepPart | None = None
    approval: Approval | None = Field(
        None,
        description="required: somebody approves it each time; automatic: policy runs it. Left out: the runbook's.",
    )
    timeout: LengthText = Field("30s", description="At most 10m.")
    changes: StrictBool | None = Field(
        None,
        description="Whether it changes anything: what does not is run in dry runs, too. Left out: not GET and HEAD.",
    )
    why: Annotated[str, StringConstraints(max_length=1000)] = ""


class RunbookSpec(Part):
    """Where people read it, of which alerts it is, and what can be done by steps."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = Field(
        "", description="Left out: its name."
    )
    url: Annotated[str, StringConstraints(max_length=1000)] = Field("", description="Where people read it.")
    file: Annotated[str, StringConstraints(max_length=500)] = Field(
        "", description="A Markdown file, from the workspace's root: runbooks/gateway-outage.md. The console shows it."
    )
    for_: Annotated[list[Matchers], Field(max_length=MOST_GROUPS)] = Field(
        default_factory=list, alias="for", description="Alerts that it is for, if they link none themselves."
    )
    starts_by_itself: StrictBool = Field(
        False, description="Its automatic steps run when an incident opens, up to the first that needs an approval."
    )
    approval: Approval = Field("required", description="Of steps that say nothing themselves.")
    steps: Annotated[list[StepPart], Field(max_length=MOST_STEPS)] = Field(default_factory=list)


class RunbookDocument(Part):
    """kind: Runbook."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Runbook"]
    metadata: Metadata
    spec: RunbookSpec
