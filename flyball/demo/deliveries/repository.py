"""A git repository for the demo: the connectors' releases of half a year, as tags, for the collector to read."""

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from flyball.demo.folder import DemoFolder

NAME: Final = "connectors.git"
DECLARED_URL: Final = "https://git.intelgraph.example/intelgraph/connectors.git"
LAST_VERSION: Final = "1.4.0"  # the one that runs
_RELEASES: Final = 22
_DAYS_BETWEEN: Final = 8.0
_MOST_MERGES: Final = 3
_SEED: Final = 5
_WHO: Final = "Robin <robin@intelgraph.example>"


def put_repository(folder: DemoFolder, now: datetime) -> None:
    """Make it, and let the copied workspace name it instead of the address that nobody can reach."""
    path = folder.root / NAME
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
    _git("--git-dir", str(path), "fast-import", "--quiet", text="".join(_stream(now)))
    declared = folder.workspace / "delivery" / "repositories.yaml"
    declared.write_text(declared.read_text().replace(DECLARED_URL, path.absolute().as_uri()))


def _stream(now: datetime) -> Iterator[str]:
    """Commits, merges and tags as `git fast-import` reads them."""
    random = np.random.default_rng(_SEED)
    mark, head = 0, 0
    at = now - timedelta(days=_DAYS_BETWEEN * _RELEASES)
    for release in range(_RELEASES):
        released = at + timedelta(days=_DAYS_BETWEEN * (release + 1) - float(random.uniform(1, 6)))
        for number in range(int(random.integers(1, _MOST_MERGES + 1))):
            merged = released - timedelta(hours=float(random.lognormal(1, 1)), minutes=10 * (_MOST_MERGES - number))
            begun = merged - timedelta(hours=float(random.lognormal(2.6, 1)))
            work, mark = mark + 1, mark + 2
            yield _commit(work, begun, f"Connector change {work}", [head] if head else [], "refs/heads/work")
            yield _commit(mark, merged, f"Merge change {work}", [each for each in (head, work) if each])
            head = mark
        yield _tag(_version(release), head, released)


def _version(release: int) -> str:
    """The last one is the one that runs."""
    back = _RELEASES - 1 - release
    return LAST_VERSION if not back else f"1.3.{_RELEASES - 1 - back}"


def _commit(mark: int, at: datetime, title: str, parents: list[int], branch: str = "refs/heads/main") -> str:
    when = f"{int(at.timestamp())} +0000"
    lines = [f"commit {branch}", f"mark :{mark}", f"author {_WHO} {when}", f"committer {_WHO} {when}", _data(title)]
    if parents:
        lines.append(f"from :{parents[0]}")
        lines += [f"merge :{each}" for each in parents[1:]]
    return "\n".join([*lines, f"M 100644 inline jdbc/{mark % 7}.txt", _data(str(mark)), ""])


def _tag(version: str, mark: int, at: datetime) -> str:
    when = f"{int(at.timestamp())} +0000"
    return "\n".join([f"tag v{version}", f"from :{mark}", f"tagger {_WHO} {when}", _data(f"Release {version}"), ""])


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def _git(*arguments: str, text: str = "") -> None:
    subprocess.run(["git", *arguments], input=text.encode(), check=True, capture_output=True)
