"""Issues of a Jira project, over REST API 2, which Jira Cloud and Data Center both have.

Texts are wiki markup there. Jira Cloud searches at `/search/jql`, Data Center at `/search`.
"""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from alerts.tickets import marks, texts
from alerts.tickets.adapters.asking import CALL_SECONDS, Asking, field, rows, text
from alerts.tickets.adapters.wiki_markup import from_markdown
from alerts.tickets.ports import Draft, Gone, Move, Opened
from controlplane.model.event import JSON
from controlplane.ports import Permanent

MOST_TITLE: Final = 255
MOST_BODY: Final = 32_767
_DONE: Final = "done"
_MARK: Final = "flyball-"


class JiraTracker:
    """Implements `IssueTracker`. With `user`, HTTP basic authentication (Cloud); without, a personal access token.

    A ticket's mark is a label: Jira finds labels exactly.
    """

    settles_within: Final = timedelta(minutes=2)  # Jira Cloud's search catches up within seconds, mostly

    def __init__(
        self,
        url: str,
        *,
        project: str,
        issue_type: str,
        token: str,
        now: Callable[[], datetime],
        user: str = "",
        close_transition: str = "",
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._url = url.rstrip("/")
        self._project, self._issue_type, self._close_transition = project, issue_type, close_transition
        basic = base64.b64encode(f"{user}:{token}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}" if user else f"Bearer {token}"}
        self._server = Asking("Jira", url, headers=headers, secrets=(basic, token), now=now, call_seconds=call_seconds)

    def find(self, key: str, since: datetime) -> Opened | None:
        """By its label."""
        asked: dict[str, JSON] = {
            "jql": f'project = "{self._project}" AND labels = "{_MARK}{marks.digest(key)}" ORDER BY created ASC',
            "maxResults": 1,
            "fields": ["labels"],
        }
        try:
            answer = self._server.ask("POST", "/rest/api/2/search/jql", asked).data
        except Gone:  # Data Center
            answer = self._server.ask("POST", "/rest/api/2/search", asked).data
        found = rows(field(answer, "issues"))
        return self._opened(text(found[0], "key")) if found else None

    def open(self, draft: Draft) -> Opened:
        """One request."""
        labels: list[JSON] = [*draft.labels, f"{_MARK}{marks.digest(draft.key)}"]
        fields: dict[str, JSON] = {
            **_content(draft),
            "project": {"key": self._project},
            "issuetype": {"name": self._issue_type},
            "labels": labels,
        }
        made = self._server.ask("POST", "/rest/api/2/issue", {"fields": fields}).data
        key = text(made, "key")
        if not key:
            raise self._server.odd("opening an issue")
        return self._opened(key)

    def update(self, outside_id: str, draft: Draft, move: Move) -> None:
        """Its text first, then its state, unless that is so already."""
        self._server.ask("PUT", f"/rest/api/2/issue/{outside_id}", {"fields": _content(draft)})
        if move is not Move.STAYS and self.is_open(outside_id) is not (move is Move.REOPENS):
            self._move(outside_id, is_closing=move is Move.CLOSES)

    def is_open(self, outside_id: str) -> bool:
        """By the category of its status."""
        answer = self._server.ask("GET", f"/rest/api/2/issue/{outside_id}", query={"fields": "status"}).data
        return text(answer, "fields", "status", "statusCategory", "key") != _DONE

    def _move(self, outside_id: str, *, is_closing: bool) -> None:
        path = f"/rest/api/2/issue/{outside_id}/transitions"
        offered = rows(field(self._server.ask("GET", path).data, "transitions"))
        chosen = next((each for each in offered if self._fits(each, is_closing=is_closing)), None)
        if chosen is None:
            known = ", ".join(text(each, "name") for each in offered)[:200] or "none"
            wanted = f"`{self._close_transition}`" if is_closing and self._close_transition else "that"
            aim = "closes" if is_closing else "reopens"
            raise Permanent(f"Jira: {outside_id} has no transition {wanted} which {aim} it; it offers {known}")
        self._server.ask("POST", path, {"transition": {"id": text(chosen, "id")}})

    def _fits(self, transition: JSON, *, is_closing: bool) -> bool:
        if is_closing and self._close_transition:
            return text(transition, "name") == self._close_transition
        return (text(transition, "to", "statusCategory", "key") == _DONE) is is_closing

    def _opened(self, key: str) -> Opened:
        return Opened(key, f"{self._url}/browse/{key}")


def _content(draft: Draft) -> dict[str, JSON]:
    body = texts.cut(from_markdown(draft.body), MOST_BODY)
    return {"summary": texts.title(draft.title, MOST_TITLE), "description": body}
