"""Issues of a GitHub repository, over its REST API (2022-11-28)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.tickets import marks, texts
from alerts.tickets.adapters.asking import CALL_SECONDS, Asking, Refused, field, rows, text
from alerts.tickets.ports import Draft, Move, Opened
from controlplane.model.event import JSON
from controlplane.ports import Permanent

MOST_TITLE: Final = 256
MOST_BODY: Final = 65_536
_PAGE: Final = 100
_MOST_PAGES: Final = 10
_FORBIDDEN: Final = 403
_STATES: Final[dict[Move, dict[str, JSON]]] = {
    Move.STAYS: {},
    Move.CLOSES: {"state": "closed", "state_reason": "completed"},
    Move.REOPENS: {"state": "open"},
}


class GitHubTracker:
    """Implements `IssueTracker`. `repository` is OWNER/NAME."""

    settles_within: Final = timedelta(seconds=30)  # lists of issues are up to date at once; replicas may lag

    def __init__(
        self,
        url: str,
        *,
        repository: str,
        token: str,
        now: Callable[[], datetime],
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._path = f"/repos/{repository}/issues"
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._server = Asking("GitHub", url, headers=headers, secrets=(token,), now=now, call_seconds=call_seconds)

    def find(self, key: str, since: datetime) -> Opened | None:
        """Among issues changed since then, newest page by page; labels are no help: GitHub may drop them."""
        found: list[tuple[int, str]] = []
        for page in range(1, _MOST_PAGES + 1):
            query = {
                "state": "all",
                "sort": "created",
                "direction": "desc",
                "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "per_page": str(_PAGE),
                "page": str(page),
            }
            issues = rows(self._server.ask("GET", self._path, query=query).data)
            for each in issues:
                number = field(each, "number")
                if isinstance(number, int) and marks.has_mark(text(each, "body"), key):
                    found.append((number, text(each, "html_url")))
            if len(issues) < _PAGE:
                break
        if not found:
            return None
        number, url = min(found)
        return Opened(str(number), url)

    def open(self, draft: Draft) -> Opened:
        """One request."""
        body = {**_content(draft), "labels": list[JSON](draft.labels)}
        try:
            made = self._server.ask("POST", self._path, body).data
        except Refused as error:
            if error.status == _FORBIDDEN and draft.labels:
                hint = "a token that may write issues but not create labels? Create the labels once, or leave them out."
                raise Permanent(f"{error}. {hint}") from None
            raise
        number, url = text(made, "number"), text(made, "html_url")
        if not number:
            raise self._server.odd("opening an issue")
        return Opened(number, url)

    def update(self, outside_id: str, draft: Draft, move: Move) -> None:
        """Text and state in one request."""
        self._server.ask("PATCH", f"{self._path}/{outside_id}", {**_content(draft), **_STATES[move]})

    def is_open(self, outside_id: str) -> bool:
        """By its state."""
        return text(self._server.ask("GET", f"{self._path}/{outside_id}").data, "state") != "closed"


def _content(draft: Draft) -> dict[str, JSON]:
    body = marks.marked(texts.cut(draft.body, MOST_BODY - marks.ROOM), draft.key)
    return {"title": texts.title(draft.title, MOST_TITLE), "body": body}
