"""Issues of one project as Jira's REST API 2 has them, of Jira Cloud or of Data Center.

Published limits: a summary has one line of at most 255 characters, a description 32,767; labels have no spaces. Cloud
searches at /search/jql (its old search is gone since 2025), Data Center at /search; an index may lag.
"""

import base64
import re
from typing import Any, Final
from urllib.parse import urlsplit

from tests.outside.failing import Answered, Asked, FailingServer

TOKEN: Final = "jira-token-of-tests"
USER: Final = "robot@example.com"
PROJECT: Final = "OPS"
_ISSUE: Final = "/rest/api/2/issue"
_JQL: Final = re.compile(r'project = "OPS" AND labels = "([^" ]+)" ORDER BY created ASC')
CATEGORIES: Final = {"To Do": "new", "In Progress": "indeterminate", "Done": "done", "Won't do": "done"}
_TRANSITIONS: Final = {"11": ("Start", "In Progress"), "21": ("Finish", "Done"), "31": ("Drop", "Won't do"),
                       "41": ("Back", "To Do")}  # fmt: skip


class JiraServer(FailingServer):
    """`issues` by key. `lag`: how many searches miss the newest issue; `offers`: ids of transitions."""

    def __init__(self, *, is_cloud: bool = True) -> None:
        super().__init__()
        self.issues: dict[str, dict[str, Any]] = {}
        self.is_cloud = is_cloud
        self.lag = 0
        self.offers = set(_TRANSITIONS)

    def answer(self, asked: Asked) -> Answered:
        """Judge it and do it."""
        basic = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if asked.headers.get("authorization") != (f"Basic {basic}" if self.is_cloud else f"Bearer {TOKEN}"):
            return Answered(401, {"errorMessages": ["You are not authenticated."]})
        path = urlsplit(asked.path).path
        if path.startswith("/rest/api/2/search"):
            return self._search(path, asked.json())
        if path == _ISSUE:
            return self._open(asked.json()["fields"])
        key, _, rest = path.removeprefix(f"{_ISSUE}/").partition("/")
        if key not in self.issues:
            return Answered(404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]})
        return self._of(self.issues[key], rest, asked)

    def _of(self, issue: dict[str, Any], rest: str, asked: Asked) -> Answered:
        if rest == "transitions":
            return self._transitions(issue, asked)
        if asked.method == "GET":
            status = issue["status"]
            known = {"name": status, "statusCategory": {"key": CATEGORIES[status]}}
            return Answered(200, {"key": issue["key"], "fields": {"status": known}})
        fields = asked.json()["fields"]
        assert "labels" not in fields, "labels that people put there would be gone"
        if wrong := _wrong(fields):
            return wrong
        issue |= fields
        return Answered(204, b"")

    def _open(self, fields: dict[str, Any]) -> Answered:
        assert fields["project"] == {"key": PROJECT}
        assert fields["issuetype"] == {"name": "Task"}
        if wrong := _wrong(fields):
            return wrong
        if any(re.search(r"\s", each) for each in fields["labels"]):
            return Answered(400, {"errors": {"labels": "The label contains spaces which is invalid."}})
        key = f"{PROJECT}-{len(self.issues) + 1}"
        self.issues[key] = {"key": key, "status": "To Do", **fields}
        return Answered(201, {"id": "10001", "key": key, "self": f"{self.url}{_ISSUE}/10001"})

    def _transitions(self, issue: dict[str, Any], asked: Asked) -> Answered:
        if asked.method == "GET":
            offered = [
                {"id": each, "name": name, "to": {"name": status, "statusCategory": {"key": CATEGORIES[status]}}}
                for each, (name, status) in _TRANSITIONS.items()
                if each in self.offers and status != issue["status"]
            ]
            return Answered(200, {"transitions": offered})
        chosen = asked.json()["transition"]["id"]
        if chosen not in self.offers:
            return Answered(400, {"errorMessages": ["It seems that you have tried to perform an illegal operation."]})
        issue["status"] = _TRANSITIONS[chosen][1]
        return Answered(204, b"")

    def _search(self, path: str, asked: dict[str, Any]) -> Answered:
        if path.endswith("/jql") is not self.is_cloud:
            return Answered(410 if self.is_cloud else 404, {"errorMessages": ["The requested API has been removed."]})
        match = _JQL.fullmatch(asked["jql"])
        assert match, asked["jql"]
        keys = list(self.issues)
        if self.lag:
            self.lag -= 1
            keys = keys[:-1]
        found = [{"key": key, "fields": {}} for key in keys if match[1] in self.issues[key]["labels"]]
        return Answered(200, {"issues": found[: asked["maxResults"]], "isLast": True})


def _wrong(fields: dict[str, Any]) -> Answered | None:
    if len(fields["summary"]) > 255 or "\n" in fields["summary"]:
        return Answered(400, {"errors": {"summary": "Summary must be less than 255 characters."}})
    if len(fields["description"]) > 32_767:
        return Answered(400, {"errors": {"description": "The entered text is too long."}})
    return None
