"""Where a repository is, as its document says it, and what is wrong with that."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from controlplane.problems import SECRET
from exporters.events.entities import repository_name
from exporters.repositories.faults import Faults
from exporters.repositories.model import Host, Place
from exporters.repositories.spec import GitHubPart, GitLabPart, GitPart, RepositorySpec

GIT_SCHEMES: Final = ("https", "http", "ssh", "file")  # not ext:: and fd::, which run what they name, nor git://
_KEYS: Final = ("git", "github", "gitlab")
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")  # capitals: what is pasted here by mistake has others
_GITHUB: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9._-]{1,100}")
_GITLAB: Final = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+")
_SCP: Final = re.compile(r"(?:[A-Za-z0-9_.-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^\s:][^\s]*")
_BRANCH: Final = re.compile(r"(?!-)(?!.*\.\.)(?!.*@\{)[^\s~^:?*\[\\\x00-\x20\x7f]{1,200}(?<![./])")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_IN_CLEAR: Final = "the token would travel in the clear"


def place_of(faults: Faults, spec: RepositorySpec, name: str) -> Place | None:
    """The place; None where none can be made out. `name` is the document's."""
    given = [key for key in _KEYS if getattr(spec, key) is not None]
    if not given:
        faults.error("spec", message="no repository", hint=f"write one of {', '.join(_KEYS)}")
        return None
    if len(given) > 1:
        message = f"{' and '.join(given)} exclude each other"
        faults.error("spec", given[1], message=message, hint="a Repository is one repository", on_key=True)
    if spec.git is not None:
        return _Git(faults, spec.git, name).place()
    if spec.github is not None:
        return _github(faults, spec.github)
    return _gitlab(faults, spec.gitlab) if spec.gitlab is not None else None


class _Git:
    def __init__(self, faults: Faults, part: GitPart, name: str) -> None:
        self._faults = faults
        self._part = part
        self._name = name

    def place(self) -> Place:
        part = self._part
        _check_plain(self._faults, "git", part.token)
        _check_branch(self._faults, "git", part.branch)
        if part.token_from is not None:
            _check_variable(self._faults, "git", part.token_from)
        if (part.url is None) == (part.path is None):
            message = "no repository" if part.url is None else "url and path exclude each other"
            self._faults.error("spec", "git", message=message, hint="exactly one of url and path")
        elif part.url is not None:
            self._check_url(part.url)
        elif part.path is not None:
            self._check_path(part.path)
        called = part.name or (repository_name(part.url) if part.url else self._name)
        return Place(
            host=Host.GIT,
            address=part.url or part.path or "",
            name=repository_name(called),
            branch=part.branch or "",
            token_from=part.token_from or "",
            user=part.user,
            is_path=part.url is None,
        )

    def _check_path(self, path: str) -> None:
        at = ("spec", "git", "path")
        if "\0" in path or path.startswith("-"):
            self._faults.error(*at, message="not a path", hint="such as ../shop or /srv/git/shop.git")
        if self._part.token_from is not None:
            message = "a repository on this machine needs no token"
            self._faults.error("spec", "git", "tokenFrom", message=message, hint="leave it out", on_key=True)

    def _check_url(self, url: str) -> None:
        at = ("spec", "git", "url")
        if "://" not in url and _SCP.fullmatch(url):
            if self._part.token_from is not None:
                self._no_token("ssh")
            return
        parts = _split(url)
        if parts is None or parts.scheme not in GIT_SCHEMES or re.search(r"[\s\x00-\x1f]", url):
            hint = "https://…, ssh://…, git@host:path or file://…; a folder is written as `path`"
            self._faults.error(*at, message="not an address that git may fetch from", hint=hint)
        elif parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
            hint = "put it into an environment variable, and the variable's name under `tokenFrom`"
            self._faults.error(*at, message="credentials in the address", hint=hint, rule=SECRET)
        elif parts.query or parts.fragment:
            _report_query(self._faults, at)
        elif parts.scheme == "http" and self._part.token_from is not None and parts.hostname not in _LOOPBACK:
            self._faults.error(*at, message=_IN_CLEAR, hint="write https://")
        elif parts.scheme in ("ssh", "file") and self._part.token_from is not None:
            self._no_token(parts.scheme)
        elif not parts.hostname and parts.scheme != "file":
            self._faults.error(*at, message="an address without a host", hint="such as https://git.example.com/shop")

    def _no_token(self, scheme: str) -> None:
        message = f"{scheme} sends no token"
        hint = "leave it out: ssh has keys of its own" if scheme == "ssh" else "leave it out"
        self._faults.error("spec", "git", "tokenFrom", message=message, hint=hint, on_key=True)


def _github(faults: Faults, part: GitHubPart) -> Place:
    _check_plain(faults, "github", part.token)
    _check_branch(faults, "github", part.branch)
    _check_variable(faults, "github", part.token_from)
    _check_api(faults, ("spec", "github", "apiUrl"), part.api_url)
    if not _GITHUB.fullmatch(part.repository):
        message = f"`{part.repository[:80]}` is not a repository"
        faults.error("spec", "github", "repository", message=message, hint="OWNER/NAME, such as acme/shop")
    host = (_split(part.api_url) or urlsplit("")).netloc
    host = "github.com" if host == "api.github.com" else host
    return Place(
        Host.GITHUB, part.api_url.rstrip("/"), repository_name(f"{host}/{part.repository}"),
        project=part.repository, branch=part.branch or "", token_from=part.token_from,
    )  # fmt: skip


def _gitlab(faults: Faults, part: GitLabPart) -> Place:
    _check_plain(faults, "gitlab", part.token)
    _check_branch(faults, "gitlab", part.branch)
    _check_variable(faults, "gitlab", part.token_from)
    _check_api(faults, ("spec", "gitlab", "url"), part.url)
    if not _GITLAB.fullmatch(part.project):
        message = f"`{part.project[:80]}` is not a project"
        faults.error("spec", "gitlab", "project", message=message, hint="its path, such as acme/shop")
    parts = _split(part.url) or urlsplit("")
    name = repository_name(f"{parts.netloc}{parts.path.rstrip('/')}/{part.project}")
    return Place(
        Host.GITLAB, part.url.rstrip("/"), name,
        project=part.project, branch=part.branch or "", token_from=part.token_from,
    )  # fmt: skip


def _check_plain(faults: Faults, key: str, token: object) -> None:
    if token is not None:
        hint = "put it into an environment variable, and the variable's name under `tokenFrom`"
        faults.error("spec", key, "token", message="a secret in plain text", hint=hint, rule=SECRET, on_key=True)


def _check_variable(faults: Faults, key: str, written: str) -> None:
    if not _VARIABLE.fullmatch(written):
        hint = "capitals, digits and `_`; the secret itself must not stand in a file"
        message = "not the name of an environment variable"
        faults.error("spec", key, "tokenFrom", message=message, hint=hint, rule=SECRET)


def _check_branch(faults: Faults, key: str, branch: str | None) -> None:
    if branch is not None and not _BRANCH.fullmatch(branch):
        faults.error("spec", key, "branch", message=f"`{branch[:80]}` is not a branch", hint="such as main")


def _check_api(faults: Faults, at: tuple[str, ...], url: str) -> None:
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", url):
        faults.error(*at, message="not a web address", hint="such as https://git.example.com")
    elif parts.username is not None or parts.password is not None:
        hint = "put it into an environment variable, and name that"
        faults.error(*at, message="credentials in the address", hint=hint, rule=SECRET)
    elif parts.query or parts.fragment:
        _report_query(faults, at)
    elif parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        faults.error(*at, message=_IN_CLEAR, hint="write https://")


def _report_query(faults: Faults, at: tuple[str, ...]) -> None:
    hint = "write the address up to the path"
    faults.error(*at, message="an address with `?` or `#`, where secrets often stand", hint=hint, rule=SECRET)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
