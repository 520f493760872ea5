"""A repository of GitHub as its REST API (2022-11-28) has it: requests, deployments, releases, comparisons.

As documented: lists come in pages that `Link` leads through, `ETag` answers 304 that count against no limit, the
primary limit is told by `x-ratelimit-*` and refused by 403, the secondary one by 403 or 429 with `Retry-After`. A list
of issues is sorted by what was updated last and holds requests, too.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.outside.failing import Answered, Asked, FailingServer

TOKEN: Final = "ghp_token-of-tests"
REPOSITORY: Final = "acme/shop"
_PATH: Final = f"/repos/{REPOSITORY}"


@dataclass
class Deployed:
    """A deployment and its statuses, oldest first: (state, when)."""

    id: int
    sha: str
    environment: str
    at: datetime
    statuses: list[tuple[str, datetime]] = field(default_factory=list)
    payload: Any = field(default_factory=dict)


class GitHubRepositoryServer(FailingServer):
    """`page_size` bounds what a page holds, whatever is asked for. `left` requests are granted until `reset`."""

    def __init__(self) -> None:
        super().__init__()
        self.pulls: dict[int, dict[str, Any]] = {}
        self.commits: dict[int, list[datetime]] = {}
        self.files: dict[int, list[str]] = {}
        self.issues: list[dict[str, Any]] = []  # that are no requests
        self.deployments: list[Deployed] = []
        self.releases: list[dict[str, Any]] = []
        self.tags: dict[str, str] = {}
        self.history: dict[str, tuple[list[str], str]] = {}  # parents and message by hash
        self.runs: list[dict[str, Any]] = []
        self.page_size = 100
        self.left: int | None = None
        self.reset = datetime(2026, 9, 1, tzinfo=UTC)
        self.secondary: Answered | None = None
        self.unchanged = 0  # answers of 304

    def merge(
        self,
        number: int,
        merged_at: datetime,
        *,
        updated_at: datetime | None = None,
        base: str = "main",
        **changed: Any,
    ) -> dict[str, Any]:
        """A merged request; its first commit was authored two days before."""
        created = merged_at - timedelta(days=1)
        pull = {
            "number": number, "title": f"Change {number}", "body": "", "state": "closed", "merged": True,
            "merged_at": _stamp(merged_at), "created_at": _stamp(created), "updated_at": _stamp(merged_at),
            "merge_commit_sha": f"{number:040x}", "base": {"ref": base}, "head": {"ref": f"feature-{number}"},
            "labels": [], "html_url": f"https://github.example/{REPOSITORY}/pull/{number}",
        }  # fmt: skip
        self.pulls[number] = pull | changed
        self.commits[number] = [merged_at - timedelta(days=2), merged_at - timedelta(days=1.5)]
        self.files[number] = [f"file-{number}"]
        return self.pulls[number]

    def answer(self, asked: Asked) -> Answered:
        """Judge it and answer."""
        assert asked.method == "GET"
        assert asked.headers["user-agent"]
        assert asked.headers["accept"] == "application/vnd.github+json"
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered(401, {"message": "Bad credentials"})
        if self.secondary is not None:
            return self.secondary
        parts = urlsplit(asked.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if self.left == 0:
            limited = {"message": "API rate limit exceeded for user ID 1."}
            return Answered(403, limited, self._limits())
        answered = self._answer(unquote(parts.path), query)
        return self._tagged(asked, answered) if answered.status == 200 else answered

    def _tagged(self, asked: Asked, answered: Answered) -> Answered:
        tag = f'W/"{hashlib.sha256(json.dumps(answered.body).encode()).hexdigest()[:16]}"'
        headers = {**answered.headers, "ETag": tag}
        if asked.headers.get("if-none-match") == tag:
            self.unchanged += 1
            return Answered(304, b"", {**headers, **self._limits()})
        if self.left is not None:
            self.left -= 1
        return Answered(200, answered.body, {**headers, **self._limits()})

    def _limits(self) -> dict[str, str]:
        if self.left is None:
            return {}
        return {"x-ratelimit-remaining": str(self.left), "x-ratelimit-reset": str(int(self.reset.timestamp()))}

    def _answer(self, path: str, query: Mapping[str, str]) -> Answered:  # noqa: C901 -- one case for each address
        if path == _PATH:
            url = f"https://github.example/{REPOSITORY}"
            return Answered(200, {"html_url": url, "default_branch": "main", "full_name": REPOSITORY})
        match path.removeprefix(f"{_PATH}/").split("/"):
            case ["issues"]:
                return self._issues(query)
            case ["pulls", number] if int(number) in self.pulls:
                return Answered(200, self.pulls[int(number)])
            case ["pulls", number, "commits"]:
                rows = [{"commit": {"author": {"date": _stamp(at)}}} for at in self.commits[int(number)]]
                return self._page(path, query, rows)
            case ["pulls", number, "files"]:
                return self._page(path, query, [{"filename": name} for name in self.files[int(number)]])
            case ["deployments"]:
                newest = sorted(self.deployments, key=lambda each: -each.id)
                return self._page(path, query, [_deployment(each) for each in newest])
            case ["deployments", number, "statuses"]:
                return self._statuses(int(number), path, query)
            case ["releases"]:
                return self._page(path, query, self.releases)
            case ["commits", "tags", tag] if tag in self.tags:
                return Answered(200, {"sha": self.tags[tag]})
            case ["compare", between]:
                return self._compare(*between.split("..."), path=path, query=query)
            case ["actions", "workflows", "deploy.yml", "runs"]:
                first, last = query["created"].split("..")
                rows = [each for each in self.runs if first <= each["created_at"] < last]
                assert (query["branch"], query["status"]) == ("main", "success")
                page = self._page(path, query, rows)
                return Answered(200, {"total_count": len(rows), "workflow_runs": page.body}, page.headers)
        return Answered(404, {"message": "Not Found"})

    def _issues(self, query: Mapping[str, str]) -> Answered:
        assert (query["state"], query["sort"], query["direction"]) == ("closed", "updated", "asc")
        rows = [*self.issues]
        for pull in self.pulls.values():
            merged = {"pull_request": {"merged_at": pull["merged_at"]}}
            rows.append({"number": pull["number"], "updated_at": pull["updated_at"], **merged})
        since = datetime.fromisoformat(query["since"])
        fitting = [each for each in rows if datetime.fromisoformat(each["updated_at"]) >= since]
        fitting.sort(key=lambda each: (each["updated_at"], each["number"]))
        return self._page(f"{_PATH}/issues", query, fitting)

    def _statuses(self, number: int, path: str, query: Mapping[str, str]) -> Answered:
        (found,) = [each for each in self.deployments if each.id == number]
        rows = [
            {"id": number * 100 + place, "state": state, "created_at": _stamp(at), "environment": found.environment}
            for place, (state, at) in enumerate(found.statuses)
        ]
        return self._page(path, query, rows[::-1])

    def _compare(self, base: str, head: str, *, path: str, query: Mapping[str, str]) -> Answered:
        has, had = self._ancestors(head), self._ancestors(base)
        rows = [
            {"sha": sha, "parents": [{"sha": each} for each in parents], "commit": {"message": message}}
            for sha, (parents, message) in self.history.items()
            if sha in has - had
        ]
        status = "ahead" if base in has else "diverged"
        page = self._page(path, query, rows)
        return Answered(200, {"status": status, "total_commits": len(rows), "commits": page.body}, page.headers)

    def _ancestors(self, sha: str) -> set[str]:
        found, waiting = set[str](), [sha]
        while waiting:
            each = waiting.pop()
            if each in self.history and each not in found:
                found.add(each)
                waiting += self.history[each][0]
        return found

    def _page(self, path: str, query: Mapping[str, str], rows: list[Any]) -> Answered:
        size, page = min(int(query.get("per_page", "30")), self.page_size), int(query.get("page", "1"))
        assert int(query.get("per_page", "30")) <= 100
        shown = rows[(page - 1) * size : page * size]
        if len(rows) <= page * size:
            return Answered(200, shown)
        others = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
        link = f'<{self.url}{path}?{others}&page={page + 1}>; rel="next", <{self.url}{path}?page=9>; rel="last"'
        return Answered(200, shown, {"Link": link})


def _deployment(each: Deployed) -> dict[str, Any]:
    return {
        "id": each.id, "sha": each.sha, "ref": each.sha, "environment": each.environment, "task": "deploy",
        "created_at": _stamp(each.at), "payload": each.payload, "transient_environment": False,
    }  # fmt: skip


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
