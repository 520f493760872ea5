"""A project of GitLab as its REST API (v4) has it: merge requests, deployments, pipelines, releases, comparisons.

As documented: lists come in pages that `Link` leads through, `updated_after` means at or after, limits are told by
`RateLimit-*` and refused by 429 with `Retry-After`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.outside.failing import Answered, Asked, FailingServer

TOKEN: Final = "glpat-token-of-tests"
PROJECT: Final = "acme/shop"
_PATH: Final = "/api/v4/projects/acme%2Fshop"


class GitLabProjectServer(FailingServer):
    """`page_size` bounds what a page holds; `left` requests are granted until `reset`."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[int, dict[str, Any]] = {}
        self.commits: dict[int, list[str]] = {}
        self.files: dict[int, list[str]] = {}
        self.deployments: list[dict[str, Any]] = []
        self.pipelines: list[dict[str, Any]] = []
        self.releases: list[dict[str, Any]] = []
        self.tags: dict[str, str] = {}
        self.history: dict[str, tuple[list[str], str]] = {}
        self.page_size = 100
        self.base = ""  # of the last comparison
        self.left: int | None = None
        self.reset = datetime(2026, 9, 1, tzinfo=UTC)

    def merge(self, number: int, merged_at: datetime, **changed: Any) -> dict[str, Any]:
        """A merged request; its first commit was authored two days before."""
        request = {
            "iid": number, "title": f"Change {number}", "description": "", "state": "merged", "target_branch": "main",
            "source_branch": f"feature-{number}", "merged_at": _stamp(merged_at), "updated_at": _stamp(merged_at),
            "created_at": _stamp(merged_at - timedelta(days=1)), "merge_commit_sha": f"{number:040x}",
            "squash_commit_sha": None, "sha": "f" * 40, "labels": [],
            "web_url": f"https://gitlab.example/{PROJECT}/-/merge_requests/{number}",
        }  # fmt: skip
        self.requests[number] = request | changed
        self.commits[number] = [_stamp(merged_at - timedelta(days=days)) for days in (1.5, 2)]
        self.files[number] = [f"file-{number}"]
        return self.requests[number]

    def answer(self, asked: Asked) -> Answered:
        """Judge it and answer."""
        assert asked.method == "GET"
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered(401, {"message": "401 Unauthorized"})
        if self.left == 0:
            return Answered(429, b"Retry later\n", {"Retry-After": "600", **self._limits()})
        if self.left is not None:
            self.left -= 1
        parts = urlsplit(asked.path)
        assert parts.path.startswith(_PATH), "the path of the project is one segment"
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        answered = self._answer(parts.path.removeprefix(_PATH), query)
        return Answered(answered.status, answered.body, {**answered.headers, **self._limits()})

    def _limits(self) -> dict[str, str]:
        if self.left is None:
            return {}
        return {"RateLimit-Remaining": str(self.left), "RateLimit-Reset": str(int(self.reset.timestamp()))}

    def _answer(self, path: str, query: Mapping[str, str]) -> Answered:
        match [unquote(part) for part in path.split("/")]:
            case [""]:
                return Answered(200, {"web_url": f"https://gitlab.example/{PROJECT}", "default_branch": "main"})
            case ["", "merge_requests"]:
                assert (query["state"], query["target_branch"]) == ("merged", "main")
                return self._changed(path, query, [*self.requests.values()])
            case ["", "merge_requests", number, "commits"]:
                return self._page(path, query, [{"authored_date": at} for at in self.commits[int(number)]])
            case ["", "merge_requests", number, "diffs"]:
                return self._page(
                    path, query, [{"new_path": name, "old_path": name} for name in self.files[int(number)]]
                )
            case ["", "deployments"]:
                return self._changed(path, query, self.deployments)
            case ["", "pipelines"]:
                assert query["ref"] == "main"
                return self._changed(path, query, self.pipelines)
            case ["", "releases"]:
                return self._page(path, query, self.releases)
            case ["", "repository", "tags", tag] if tag in self.tags:
                return Answered(200, {"name": tag, "commit": {"id": self.tags[tag]}})
            case ["", "repository", what]:
                return self._compared(what, query)
        return Answered(404, {"message": "404 Not found"})

    def _changed(self, path: str, query: Mapping[str, str], rows: list[dict[str, Any]]) -> Answered:
        assert (query["order_by"], query["sort"]) == ("updated_at", "asc")
        since = datetime.fromisoformat(query["updated_after"])
        fitting = [each for each in rows if datetime.fromisoformat(each["updated_at"]) >= since]
        if query.get("status"):
            fitting = [each for each in fitting if each["status"] == query["status"]]
        return self._page(path, query, sorted(fitting, key=lambda each: str(each["updated_at"])))

    def _compared(self, what: str, query: Mapping[str, str]) -> Answered:
        if what == "merge_base":
            return Answered(200, {"id": self.base})
        has, had = self._ancestors(query["to"]), self._ancestors(query["from"])
        self.base = query["from"] if query["from"] in has else "0" * 40
        rows = [
            {"id": sha, "parent_ids": parents, "message": message}
            for sha, (parents, message) in self.history.items()
            if sha in has - had
        ]
        return Answered(200, {"commits": rows, "compare_timeout": False})

    def _ancestors(self, sha: str) -> set[str]:
        found, waiting = set[str](), [sha]
        while waiting:
            each = waiting.pop()
            if each in self.history and each not in found:
                found.add(each)
                waiting += self.history[each][0]
        return found

    def _page(self, path: str, query: Mapping[str, str], rows: list[Any]) -> Answered:
        size, page = min(int(query["per_page"]), self.page_size), int(query.get("page", "1"))
        assert int(query["per_page"]) <= 100
        shown = rows[(page - 1) * size : page * size]
        if len(rows) <= page * size:
            return Answered(200, shown)
        others = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
        link = f'<{self.url}{_PATH}{path}?{others}&page={page + 1}>; rel="next"'
        return Answered(200, shown, {"Link": link})


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
