"""A declared tracker, opened: nothing is asked yet."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from alerts.tickets.adapters.files import FileTracker
from alerts.tickets.adapters.github import GitHubTracker
from alerts.tickets.adapters.gitlab import GitLabTracker
from alerts.tickets.adapters.jira import JiraTracker
from alerts.tickets.model import Tracker, TrackerKind
from alerts.tickets.ports import IssueTracker
from controlplane.ports import Permanent


def open_tracker(
    tracker: Tracker, *, folder: Path, secret: Callable[[str], str | None], now: Callable[[], datetime]
) -> IssueTracker:
    """`folder` is the workspace, which a relative path begins at; `secret` gives the value of a variable, or None.

    Raises `Permanent` for a secret that is not there.
    """
    settings = tracker.settings

    def needed(key: str) -> str:
        variable = settings.get(key, "")
        value = (secret(variable) or "").strip() if variable else ""
        if not value:
            raise Permanent(f"Tracker {tracker.name} needs {variable} or {variable}_FILE in the environment")
        return value

    if tracker.kind is TrackerKind.FILE:
        return FileTracker(folder / settings["directory"])
    if tracker.kind is TrackerKind.GITHUB:
        return GitHubTracker(
            settings["url"], repository=settings["repository"], token=needed("tokenFrom"), now=now
        )  # fmt: skip
    if tracker.kind is TrackerKind.GITLAB:
        return GitLabTracker(settings["url"], project=settings["project"], token=needed("tokenFrom"), now=now)
    return JiraTracker(
        settings["url"],
        project=settings["project"],
        issue_type=settings["issueType"],
        token=needed("tokenFrom"),
        user=needed("userFrom") if "userFrom" in settings else "",
        close_transition=settings.get("closeTransition", ""),
        now=now,
    )
