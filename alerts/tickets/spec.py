"""The kind `Tracker`: where tickets about costs and actions are opened."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Variable = Annotated[str, StringConstraints(max_length=1000)]
Plain = SkipJsonSchema[object]
"""A secret in the file: taken in only to say that it must not be there, under a rule that hides its line."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class TrackerMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class FilePart(_Part):
    """Markdown files in a folder."""

    directory: Address = Field(".flyball/tickets", description="From the workspace on.")


class GitHubPart(_Part):
    """Issues of a GitHub repository."""

    repository: Line = Field(description="Such as example/platform.")
    token_from: Variable = Field(
        "FLYBALL_GITHUB_TOKEN", description="The variable with a token that may write issues; or NAME_FILE, its file."
    )
    url: Address = Field("https://api.github.com", description="GitHub Enterprise: https://HOST/api/v3.")
    token: Plain = None


class GitLabPart(_Part):
    """Issues of a GitLab project."""

    project: Line = Field(description="Its path, such as example/platform, or its number.")
    token_from: Variable = Field(
        "FLYBALL_GITLAB_TOKEN", description="The variable with a token of scope `api`; or NAME_FILE, its file."
    )
    url: Address = "https://gitlab.com"
    token: Plain = None


class JiraPart(_Part):
    """Issues of a Jira project, in the cloud or at home."""

    project: Line = Field(description="Its key, such as OPS.")
    url: Address = Field(description="Such as https://example.atlassian.net.")
    issue_type: Line = "Task"
    user_from: Variable | None = Field(
        None, description="The variable with the account's e-mail (Jira Cloud). Left out: a personal access token."
    )
    token_from: Variable = Field("FLYBALL_JIRA_TOKEN", description="The variable with the token; or NAME_FILE.")
    close_transition: Line | None = Field(
        None, description="The transition that closes an issue. Left out: the first that leads to a done status."
    )
    token: Plain = None
    user: Plain = None


Taken = Literal["cost", "actions"]


def _everything() -> list[Taken]:
    return ["cost", "actions"]


class TrackerSpec(_Part):
    """One tracker, and what it takes."""

    takes: Annotated[list[Taken], Field(min_length=1, max_length=2)] = Field(
        default_factory=_everything,
        description="`cost`: issues about money. `actions`: what was learned from incidents. Left out: both.",
    )
    labels: Annotated[list[Line], Field(max_length=20)] = Field(
        default_factory=lambda: ["flyball"], description="Put on each ticket when it is opened."
    )
    file: FilePart | None = None
    github: GitHubPart | None = None
    gitlab: GitLabPart | None = None
    jira: JiraPart | None = None


class TrackerDocument(_Part):
    """kind: Tracker."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Tracker"]
    metadata: TrackerMetadata
    spec: TrackerSpec
