"""Every tracker with a person beside it, so that one suite can ask the same of all of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alerts.tickets import marks
from alerts.tickets.adapters.files import FileTracker
from alerts.tickets.adapters.github import GitHubTracker
from alerts.tickets.adapters.gitlab import GitLabTracker
from alerts.tickets.adapters.jira import JiraTracker
from alerts.tickets.ports import IssueTracker
from tests.outside import github, gitlab, jira
from tests.outside.failing import FailingServer
from tests.outside.github import GitHubServer
from tests.outside.gitlab import GitLabServer
from tests.outside.jira import JiraServer

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SECONDS = 0.4  # of a call: loopback answers in milliseconds


@dataclass
class Bench:
    """`close`, `delete` and `read` (title, body, labels, is open) are what a person does and sees there, by id."""

    tracker: IssueTracker
    close: Callable[[str], None]
    delete: Callable[[str], None]
    read: Callable[[str], tuple[str, str, set[str], bool]]
    count: Callable[[], int]
    server: FailingServer | None = None


def now() -> datetime:
    return NOW


@contextmanager
def file_bench(folder: Path) -> Iterator[Bench]:
    def close(name: str) -> None:
        path = folder / name
        path.write_text(path.read_text().replace("\nstate: open\n", "\nstate: closed\n"))

    def read(name: str) -> tuple[str, str, set[str], bool]:
        _, head, body = (folder / name).read_text().split("---\n", 2)
        fields = dict(line.split(": ", 1) for line in head.splitlines())
        labels = fields["labels"].strip("[]").split(", ")
        return fields["title"].strip('"'), body, set(labels), fields["state"] == "open"

    tracker = FileTracker(folder)
    yield Bench(tracker, close, lambda name: (folder / name).unlink(), read, lambda: len(list(folder.glob("*"))))


@contextmanager
def github_bench() -> Iterator[Bench]:
    with GitHubServer() as server:
        issues = server.issues

        def read(number: str) -> tuple[str, str, set[str], bool]:
            it = issues[int(number)]
            return it["title"], it["body"], {each["name"] for each in it["labels"]}, it["state"] == "open"

        yield Bench(
            GitHubTracker(server.url, repository=github.REPOSITORY, token=github.TOKEN, now=now, call_seconds=SECONDS),
            lambda number: issues[int(number)].update(state="closed"),
            lambda number: issues.pop(int(number)) and None,
            read,
            lambda: len(issues),
            server,
        )


@contextmanager
def gitlab_bench() -> Iterator[Bench]:
    with GitLabServer() as server:
        issues = server.issues

        def read(number: str) -> tuple[str, str, set[str], bool]:
            it = issues[int(number)]
            return it["title"], it["description"], set(it["labels"]), it["state"] == "opened"

        yield Bench(
            GitLabTracker(server.url, project=gitlab.PROJECT, token=gitlab.TOKEN, now=now, call_seconds=SECONDS),
            lambda number: issues[int(number)].update(state="closed"),
            lambda number: issues.pop(int(number)) and None,
            read,
            lambda: len(issues),
            server,
        )


@contextmanager
def jira_bench(*, is_cloud: bool = True, close_transition: str = "") -> Iterator[Bench]:
    with JiraServer(is_cloud=is_cloud) as server:
        issues = server.issues

        def read(key: str) -> tuple[str, str, set[str], bool]:
            it = issues[key]
            labels = {each for each in it["labels"] if not each.startswith("flyball-")}
            return it["summary"], it["description"], labels, jira.CATEGORIES[it["status"]] != "done"

        tracker = JiraTracker(
            server.url,
            project=jira.PROJECT,
            issue_type="Task",
            token=jira.TOKEN,
            user=jira.USER if is_cloud else "",
            close_transition=close_transition,
            now=now,
            call_seconds=SECONDS,
        )
        yield Bench(
            tracker,
            lambda key: issues[key].update(status="Done"),
            lambda key: issues.pop(key) and None,
            read,
            lambda: len(issues),
            server,
        )


def mark(key: str) -> str:
    return marks.digest(key)
