"""Issues of one project as GitLab's REST API (v4) has them.

Published limits: a title has at most 255 characters, a description 1 MiB. Lines of a description that begin with a
slash are quick actions, which are carried out and taken away.
"""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from tests.outside.failing import Answered, Asked, FailingServer

TOKEN: Final = "glpat-token-of-tests"
PROJECT: Final = "example/platform"
_PATH: Final = f"/api/v4/projects/{quote(PROJECT, safe='')}/issues"


class GitLabServer(FailingServer):
    """`issues` by their number in the project."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[int, dict[str, Any]] = {}
        self.now = datetime(2026, 12, 1, 9, tzinfo=UTC)

    def answer(self, asked: Asked) -> Answered:
        """Judge it and do it."""
        if asked.headers.get("private-token") != TOKEN:
            return Answered(401, {"message": "401 Unauthorized"})
        parts = urlsplit(asked.path)
        if parts.path == _PATH:
            return self._open(asked.json()) if asked.method == "POST" else self._list(parse_qs(parts.query))
        number = parts.path.removeprefix(f"{_PATH}/")
        if not number.isdecimal() or int(number) not in self.issues:
            return Answered(404, {"message": "404 Not found"})
        issue = self.issues[int(number)]
        return Answered(200, issue) if asked.method == "GET" else self._change(issue, asked.json())

    def _open(self, body: dict[str, Any]) -> Answered:
        if wrong := _wrong(body):
            return wrong
        number = len(self.issues) + 1
        issue = {
            "iid": number, "id": 1000 + number, "title": body["title"], "description": _obeyed(body["description"]),
            "state": "opened", "created_at": f"{self.now:%Y-%m-%dT%H:%M:%S.000Z}", "labels": body["labels"].split(","),
            "web_url": f"https://gitlab.example/{PROJECT}/-/issues/{number}",
        }  # fmt: skip
        self.issues[number] = issue
        return Answered(201, issue)

    def _change(self, issue: dict[str, Any], body: dict[str, Any]) -> Answered:
        assert "labels" not in body, "labels that people put there would be gone"
        if wrong := _wrong(body):
            return wrong
        event = body.pop("state_event", None)
        assert event in (None, "close", "reopen")
        states = {"close": "closed", "reopen": "opened"}
        issue |= body | ({"state": states[event]} if event else {})
        return Answered(200, issue)

    def _list(self, query: dict[str, list[str]]) -> Answered:
        assert query["state"] == ["all"], "closed ones would be missed"
        assert query["scope"] == ["all"]
        size, page = int(query["per_page"][0]), int(query["page"][0])
        assert size <= 100
        since = datetime.fromisoformat(query["created_after"][0])
        fitting = [each for each in self.issues.values() if datetime.fromisoformat(each["created_at"]) >= since]
        newest = sorted(fitting, key=lambda each: -each["iid"])
        return Answered(200, newest[(page - 1) * size : page * size])


def _obeyed(description: str) -> str:
    assert not any(line.startswith("/") for line in description.splitlines()), "a quick action"
    return description


def _wrong(body: dict[str, Any]) -> Answered | None:
    if not body["title"].strip() or len(body["title"]) > 255:
        return Answered(400, {"message": {"title": ["is too long (maximum is 255 characters)"]}})
    if len(body["description"]) > 1_048_576:
        return Answered(400, {"message": {"description": ["is too long (maximum is 1048576 characters)"]}})
    return None
