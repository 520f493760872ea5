"""Issues of one repository as GitHub's REST API (2022-11-28) has them.

Published limits: a title has at most 256 characters, a body 65,536; a request without User-Agent is refused (403);
creating labels takes more rights than writing issues.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.outside.failing import Answered, Asked, FailingServer

TOKEN: Final = "ghp_token-of-tests"
REPOSITORY: Final = "example/platform"
_PATH: Final = f"/repos/{REPOSITORY}/issues"


class GitHubServer(FailingServer):
    """`issues` by number. `may_label`: whether the token may create labels."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[int, dict[str, Any]] = {}
        self.may_label = True
        self.now = datetime(2026, 12, 1, 9, tzinfo=UTC)

    def answer(self, asked: Asked) -> Answered:
        """Judge it and do it."""
        if "user-agent" not in asked.headers:
            return Answered(403, {"message": "Request forbidden by administrative rules."})
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered(401, {"message": "Bad credentials"})
        assert asked.headers["x-github-api-version"] == "2022-11-28"
        assert asked.headers["accept"] == "application/vnd.github+json"
        parts = urlsplit(asked.path)
        if parts.path == _PATH:
            return self._open(asked.json()) if asked.method == "POST" else self._list(parse_qs(parts.query))
        number = parts.path.removeprefix(f"{_PATH}/")
        if not number.isdecimal() or int(number) not in self.issues:
            return Answered(404, {"message": "Not Found"})
        issue = self.issues[int(number)]
        return Answered(200, issue) if asked.method == "GET" else self._change(issue, asked.json())

    def _open(self, body: dict[str, Any]) -> Answered:
        if wrong := _wrong(body):
            return wrong
        if body["labels"] and not self.may_label:
            return Answered(403, {"message": "You do not have permission to create labels on this repository."})
        number = len(self.issues) + 1
        self.now += timedelta(minutes=1)
        issue = {
            "number": number, "title": body["title"], "body": body["body"], "state": "open", "state_reason": None,
            "labels": [{"name": each} for each in body["labels"]], "updated_at": _stamp(self.now),
            "html_url": f"https://github.example/{REPOSITORY}/issues/{number}",
        }  # fmt: skip
        self.issues[number] = issue
        return Answered(201, issue)

    def _change(self, issue: dict[str, Any], body: dict[str, Any]) -> Answered:
        assert "labels" not in body, "labels that people put there would be gone"
        if wrong := _wrong(body):
            return wrong
        if body.get("state", "open") not in ("open", "closed"):
            return Answered(422, {"message": "Validation Failed"})
        self.now += timedelta(minutes=1)
        issue |= body | {"updated_at": _stamp(self.now)}
        return Answered(200, issue)

    def _list(self, query: dict[str, list[str]]) -> Answered:
        assert query["state"] == ["all"]
        size, page = int(query["per_page"][0]), int(query["page"][0])
        assert size <= 100
        since = datetime.fromisoformat(query["since"][0])
        fitting = [each for each in self.issues.values() if datetime.fromisoformat(each["updated_at"]) >= since]
        newest = sorted(fitting, key=lambda each: -each["number"])
        return Answered(200, newest[(page - 1) * size : page * size])


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _wrong(body: dict[str, Any]) -> Answered | None:
    if not body["title"].strip() or len(body["title"]) > 256:
        return Answered(422, {"message": "Validation Failed", "errors": [{"field": "title", "code": "custom"}]})
    if len(body["body"]) > 65_536:
        return Answered(422, {"message": "body is too long (maximum is 65536 characters)"})
    return None
