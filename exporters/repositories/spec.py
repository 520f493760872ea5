"""The kind `Repository`: where changes and deployments are read from when nobody sends webhooks."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Variable = Annotated[str, StringConstraints(max_length=1000)]
Length = Annotated[str, StringConstraints(max_length=20)]
Patterns = Annotated[
    list[Line], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1, max_length=50)
]
Plain = SkipJsonSchema[object]
"""A secret in the file: taken in only to say that it must not be there, under a rule that hides its line."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class RepositoryMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class GitPart(_Part):
    """Any git repository, read with the command `git`. Exactly one of url and path."""

    url: Address | None = Field(None, description="https://…, ssh://…, git@host:path or file://…; a clone is kept.")
    path: Address | None = Field(None, description="A repository on this machine, from the workspace on; only read.")
    branch: Line | None = Field(None, description="What changes are merged into. Left out: the one that HEAD names.")
    name: Line | None = Field(
        None, description="What others call it, such as github.com/acme/shop. Left out: what url says."
    )
    token_from: Variable | None = Field(
        None, description="The variable with a token for https; or NAME_FILE, its file. Left out: none is sent."
    )
    user: Line = Field("x-access-token", description="The user name that goes with the token.")
    token: Plain = None


class GitHubPart(_Part):
    """A GitHub repository, over its API."""

    repository: Line = Field(description="Such as acme/shop.")
    api_url: Address = Field("https://api.github.com", description="GitHub Enterprise: https://HOST/api/v3.")
    branch: Line | None = Field(None, description="What changes are merged into. Left out: its default branch.")
    token_from: Variable = Field(
        "FLYBALL_GITHUB_TOKEN", description="The variable with a token that may read; or NAME_FILE, its file."
    )
    token: Plain = None


class GitLabPart(_Part):
    """A GitLab project, over its API."""

    project: Line = Field(description="Its path, such as acme/shop.")
    url: Address = "https://gitlab.com"
    branch: Line | None = Field(None, description="What changes are merged into. Left out: its default branch.")
    token_from: Variable = Field(
        "FLYBALL_GITLAB_TOKEN", description="The variable with a token of scope `read_api`; or NAME_FILE, its file."
    )
    token: Plain = None


class ServicePart(_Part):
    """A service whose code is in the repository."""

    name: Line
    paths: list[Line] = Field(
        default_factory=list,
        max_length=50,
        description="Globs from the repository's root on, such as services/checkout/**. Left out: every change.",
    )
    tags: Patterns | None = Field(None, description="Tags that release this service. Left out: those of deployments.")


class DeploymentsPart(_Part):
    """What counts as a deployment."""

    source: Literal["tags", "releases", "deployments", "pipelines", "none"] | None = Field(
        None, alias="from", description="Left out: tags of git, deployments of GitHub and GitLab."
    )
    environment: Line = Field("production", description="Where tags, releases and pipelines bring it.")
    environments: dict[Line, Line] = Field(
        default_factory=dict,
        max_length=100,
        description="Environments of deployments that count, and what we call them. Left out: all, as they are.",
    )
    tags: Patterns | None = Field(None, description="Globs of tags that count. Left out: all.")
    exclude: list[Line] = Field(default_factory=list, max_length=50, description="Globs of tags that do not.")
    pre_releases: bool = Field(False, description="Whether tags such as v1.2.0-rc.1 count.")
    workflow: Line | None = Field(None, description="Of pipelines of GitHub: the workflow's file, such as deploy.yml.")


class ChangesPart(_Part):
    """What counts as a change."""

    source: Literal["merges", "commits", "pullRequests", "none"] | None = Field(
        None, alias="from", description="Left out: merges of git, pullRequests of GitHub and GitLab."
    )


class RepositorySpec(_Part):
    """One repository, what it deploys, and what its changes are."""

    git: GitPart | None = None
    github: GitHubPart | None = None
    gitlab: GitLabPart | None = None
    services: list[ServicePart] = Field(
        default_factory=list, max_length=500, description="Left out: one, named as this Repository."
    )
    deployments: DeploymentsPart = Field(default_factory=DeploymentsPart)
    changes: ChangesPart = Field(default_factory=ChangesPart)
    since: Length = Field("90d", description="How far back the first collection reads.")
    every: Length = Field("5m", description="How often it is collected.")


class RepositoryDocument(_Part):
    """kind: Repository."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Repository"]
    metadata: RepositoryMetadata
    spec: RepositorySpec
