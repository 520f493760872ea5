"""Issues of a GitLab project, over its REST API (v4)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from alerts.tickets import marks, texts
from alerts.tickets.adapters.asking import CALL_SECONDS, Asking, field, rows, text
from alerts.tickets.ports import Draft, Move, Opened
from controlplane.model.event import JSON

MOST_TITLE: Final = 255
MOST_BODY: Final = 200_000  # GitLab takes a megabyte; nobody reads that
_PAGE: Final = 100
_MOST_PAGES: Final = 10
_STATES: Final[dict[Move, dict[str, JSON]]] = {
    Move.STAYS: {},
    Move.CLOSES: {"state_event": "close"},
    Move.REOPENS: {"state_event": "reopen"},
}


class GitLabTracker:
    """Implements `IssueTracker`. `project` is its path or its number."""

    settles_within: Final = timedelta(seconds=30)

    def __init__(
        self,
        url: str,
        *,
        project: str,
        token: str,
        now: Callable[[], datetime],
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._path = f"/api/v4/projects/{quote(project, safe='')}/issues"
        headers = {"PRIVATE-TOKEN": token}
        self._server = Asking("GitLab", url, headers=headers, secrets=(token,), now=now, call_seconds=call_seconds)

    def find(self, key: str, since: datetime) -> Opened | None:
        """Among issues created since then."""
        found: list[tuple[int, str]] = []
        for page in range(1, _MOST_PAGES + 1):
            query = {
                "scope": "all",
                "state": "all",
                "created_after": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "per_page": str(_PAGE),
                "page": str(page),
            }
            issues = rows(self._server.ask("GET", self._path, query=query).data)
            for each in issues:
                number = field(each, "iid")
                if isinstance(number, int) and marks.has_mark(text(each, "description"), key):
                    found.append((number, text(each, "web_url")))
            if len(issues) < _PAGE:
                break
        if not found:
            return None
        number, url = min(found)
        return Opened(str(number), url)

    def open(self, draft: Draft) -> Opened:
        """One request; labels that are not there yet are made by GitLab."""
        made = self._server.ask("POST", self._path, {**_content(draft), "labels": ",".join(draft.labels)}).data
        number, url = text(made, "iid"), text(made, "web_url")
        if not number:
            raise self._server.odd("opening an issue")
        return Opened(number, url)

    def update(self, outside_id: str, draft: Draft, move: Move) -> None:
        """Text and state in one request."""
        self._server.ask("PUT", f"{self._path}/{outside_id}", {**_content(draft), **_STATES[move]})

    def is_open(self, outside_id: str) -> bool:
        """By its state."""
        return text(self._server.ask("GET", f"{self._path}/{outside_id}").data, "state") != "closed"


def _content(draft: Draft) -> dict[str, JSON]:
    body = marks.marked(texts.cut(draft.body, MOST_BODY - marks.ROOM), draft.key)
    return {"title": texts.title(draft.title, MOST_TITLE), "description": body}
