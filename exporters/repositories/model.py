"""Repositories that deliveries are read from, as declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from controlplane.model.source import SourcePosition


class Host(Enum):
    """By what means a repository is read."""

    GIT = "git"
    GITHUB = "github"
    GITLAB = "gitlab"


class DeploymentsFrom(Enum):
    """What counts as a deployment."""

    TAGS = "tags"
    RELEASES = "releases"
    DEPLOYMENTS = "deployments"
    PIPELINES = "pipelines"
    NONE = "none"  # somebody else tells of them


class ChangesFrom(Enum):
    """What counts as a change."""

    MERGES = "merges"  # each commit on the branch itself: a merge with all it brings, a squash, a direct commit
    COMMITS = "commits"  # each commit that is no merge
    PULL_REQUESTS = "pullRequests"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a repository is. `name` is what it is called in events (`host/path`).

    git: `address` is a URL, or a path on this machine (`is_path`). github, gitlab: `address` is the API's or the
    server's URL, `project` the repository there. `branch` is empty for the default one. `token_from` names the variable
    with the token, empty where none is sent; `user` goes with it to a git server.
    """

    host: Host
    address: str
    name: str
    project: str = ""
    branch: str = ""
    token_from: str = ""
    user: str = ""
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class RepositoryService:
    """A service of a repository. `paths` are globs of its files; without any every change is one of it.

    `tags` are globs of the tags that release it.
    """

    name: str
    paths: tuple[str, ...] = ()
    tags: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class DeploymentTerms:
    """What counts as a deployment, and into which environment. `environments`: those that count, by their own names."""

    source: DeploymentsFrom
    environment: str = "production"
    environments: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    with_pre_releases: bool = False
    workflow: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """One `Repository` document. There is at least one service."""

    name: str
    place: Place
    services: tuple[RepositoryService, ...]
    deployments: DeploymentTerms
    changes: ChangesFrom
    since: timedelta = timedelta(days=90)
    every: timedelta = timedelta(minutes=5)
    source: SourcePosition | None = field(default=None, compare=False)
