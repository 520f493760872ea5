"""A repository that nobody declared, from what was typed: checked as a document is."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from controlplane.problems import Problem
from controlplane.specfile import SourceFile, read
from exporters.repositories.declared import declared
from exporters.repositories.kinds import KINDS
from exporters.repositories.model import Repository

SINCE: Final = "365d"
_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://.*|[\w.-]+@[\w.-]+:.*")


def one_off(
    git: str, *, folder: Path, service: str = "", branch: str = "", tags: str = "*", environment: str = "production"
) -> tuple[Repository | None, Sequence[Problem]]:
    """`git` is an address or a path (from `folder` on); the service is called as its last part unless it is said."""
    place = {"url": git} if _ADDRESS.fullmatch(git) else {"path": str((folder / git).resolve())}
    last = next(iter(place.values())).rstrip("/").removesuffix("/.git").removesuffix(".git").rpartition("/")[2]
    called = service or last or "repository"
    if "path" in place:
        place["name"] = called
    if branch:
        place["branch"] = branch
    name = re.sub(r"[^a-z0-9]+", "-", called.lower())[:63].strip("-") or "repository"
    document = {
        "apiVersion": "flyball.dev/v1",
        "kind": "Repository",
        "metadata": {"name": name},
        "spec": {
            "git": place,
            "services": [{"name": called}],
            "deployments": {"from": "tags", "tags": [tags], "environment": environment},
            "since": SINCE,
        },
    }
    result = read([SourceFile("--git", json.dumps(document).encode())], KINDS)
    made = declared(result.documents)
    return next(iter(made.values), None), (*result.problems, *made.problems)
