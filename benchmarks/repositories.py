"""Repositories: how fast a git history becomes events, the first time and when nothing is new.

`REPOSITORY` is any repository on this machine, such as a mirror of a public one; without it a history is made up:
20,000 commits in 5,000 merges and 15,000 commits on branches, and 200 tags, in a monorepo of ten services.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, progress, show
from controlplane.store import migrate, open_store
from exporters.repositories.adapters.opening import open_repository
from exporters.repositories.collecting import Collected, Collector
from exporters.repositories.model import (
    ChangesFrom,
    DeploymentsFrom,
    DeploymentTerms,
    Host,
    Place,
    Repository,
    RepositoryService,
)

REPOSITORY: Final = os.environ.get("REPOSITORY", "")
NOW: Final = datetime.now(UTC)
_MERGES: Final = 5000
_ON_A_BRANCH: Final = 3
_RELEASED_EVERY: Final = 25
_SERVICES: Final = 10


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = Path(REPOSITORY) if REPOSITORY else _made_up(folder / "made-up.git")
        commits = int(_git(path, "rev-list", "--count", "HEAD", "--"))
        progress(f"{commits:,} commits")
        one = (RepositoryService("service"),)
        several = tuple(RepositoryService(f"s{each}", (f"services/s{each}/**",)) for each in range(_SERVICES))
        figures = [*_collected("one service", path, commits, one, folder / "one.db")]
        if not REPOSITORY:
            figures += _collected(f"{_SERVICES} services by paths", path, commits, several, folder / "several.db")
    show("Repositories: a git history becomes events", figures)


def _collected(
    what: str, path: Path, commits: int, services: tuple[RepositoryService, ...], database: Path
) -> Iterator[Figure]:
    migrate(f"sqlite:///{database}")
    store = open_store(f"sqlite:///{database}")
    place = Place(Host.GIT, str(path), "git.example.com/acme/shop", is_path=True)
    found = Repository(
        "shop", place, services, DeploymentTerms(DeploymentsFrom.TAGS), ChangesFrom.MERGES, timedelta(days=7000)
    )
    try:
        first, seconds = _turn(found, Collector(store))
        again, idle = _turn(found, Collector(store))
    finally:
        store.close()
    assert first.is_complete
    assert again.is_complete
    assert not again.taken
    told = f"{first.changes:,} changes, {first.deployments:,} deployments"
    yield Figure(f"{what}: commits read and taken as events", commits / seconds, "/s", detail=told)
    yield Figure(f"{what}: events taken", first.taken / seconds, "/s")
    yield Figure(f"{what}: a turn without news", idle, "s", limit=1)


def _turn(found: Repository, collector: Collector) -> tuple[Collected, float]:
    source = open_repository(
        found, workspace=Path("/"), clones=Path("/nonexistent"), secret=lambda name: None,
        environment={"PATH": os.environ["PATH"]}, now=NOW,
    )  # fmt: skip
    began = time.monotonic()
    collected = collector.collect(found, source, NOW)
    return collected, time.monotonic() - began


def _made_up(path: Path) -> Path:
    _git(path, "init", "-q", "--bare", "-b", "main", str(path), inside=False)
    subprocess.run(
        ["git", "--git-dir", str(path), "fast-import", "--quiet"], input="".join(_commands()).encode(), check=True
    )
    return path


def _commands() -> Iterator[str]:
    began = int((NOW - timedelta(days=_MERGES // 10)).timestamp())
    mark = main = 0
    for merge in range(_MERGES):
        at, side = began + merge * 8640, main
        for each in range(_ON_A_BRANCH):
            mark += 1
            yield _commit(mark, "side", at - 80_000 + each * 3600, f"Part {each} of {merge}", [side], merge)
            side = mark
        mark += 1
        yield _commit(mark, "main", at, f"Merge pull request #{merge} from acme/x", [main, side], merge)
        main = mark
        if merge % _RELEASED_EVERY == 0:
            name = f"v1.{merge // _RELEASED_EVERY}.0"
            yield f"tag {name}\nfrom :{main}\ntagger A <a@example.com> {at + 600} +0000\ndata 1\nx\n"


def _commit(mark: int, branch: str, at: int, title: str, parents: list[int], merge: int) -> str:
    first, *others = [parent for parent in parents if parent] or [0]
    lines = [f"commit refs/heads/{branch}", f"mark :{mark}"]
    lines += [f"{who} A <a@example.com> {at} +0000" for who in ("author", "committer")]
    lines += [f"data {len(title)}", title, *([f"from :{first}"] if first else [])]
    lines += [f"merge :{other}" for other in others]
    lines += [f"M 100644 inline services/s{merge % _SERVICES}/f{mark}", "data 1", "x", ""]
    return "\n".join(lines)


def _git(path: Path, *arguments: str, inside: bool = True) -> str:
    where = ["--git-dir", str(path)] if inside else []
    return subprocess.run(["git", *where, *arguments], capture_output=True, text=True, check=True).stdout.strip()
