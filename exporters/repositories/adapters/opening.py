"""A declared repository, opened: nothing is asked yet."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from controlplane.ports import Permanent
from exporters.repositories.adapters.clones import Clone
from exporters.repositories.adapters.git import GitSource
from exporters.repositories.adapters.git_command import Credential, Git
from exporters.repositories.model import Host, Place, Repository
from exporters.repositories.ports import DeliverySource


def open_repository(
    repository: Repository,
    *,
    workspace: Path,
    clones: Path,
    secret: Callable[[str], str | None],
    environment: Mapping[str, str],
    now: datetime,
) -> DeliverySource:
    """`workspace` is where relative paths begin, `clones` the folder that keeps clones.

    `secret` gives the value of a variable, or None; `environment` is ours, of which git gets what it needs (`PATH`,
    `HOME`, `SSH_AUTH_SOCK`, certificates). Raises `Permanent` for a secret that is not there.
    """
    place = repository.place
    token = _token(repository.name, place, secret)
    if place.host is Host.GIT and place.is_path:
        return GitSource(repository, Git(environment, _git_directory((workspace / place.address).resolve())), None)
    if place.host is Host.GIT:
        credential = Credential(place.address, place.user, token) if token else None
        git = Git(environment, credential=credential)
        return GitSource(repository, git, Clone(git, place.address, clones))
    if place.host is Host.GITHUB:
        from exporters.repositories.adapters.github import GitHubSource  # with httpx, which takes time to import

        return GitHubSource(repository, token=token, now=now)
    from exporters.repositories.adapters.gitlab import GitLabSource

    return GitLabSource(repository, token=token, now=now)


def _token(name: str, place: Place, secret: Callable[[str], str | None]) -> str:
    if not place.token_from:
        return ""
    value = (secret(place.token_from) or "").strip()
    if not value:
        raise Permanent(f"Repository {name} needs {place.token_from} or {place.token_from}_FILE in the environment")
    return value


def _git_directory(path: Path) -> Path:
    """Of a work tree the folder within it; a bare repository is one itself. Links of worktrees are followed by git."""
    inside = path / ".git"
    if inside.is_dir():
        return inside.resolve()
    if inside.is_file():
        text = inside.read_text(errors="replace").strip()
        return (path / text.removeprefix("gitdir:").strip()).resolve()
    if not (path / "HEAD").exists():
        raise Permanent(f"{path} is no git repository")
    return path.resolve()
