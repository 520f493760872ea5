"""Tracker documents as users write them, and how they are opened."""

from pathlib import Path

import pytest

from alerts.tickets.adapters.files import FileTracker
from alerts.tickets.adapters.github import GitHubTracker
from alerts.tickets.adapters.gitlab import GitLabTracker
from alerts.tickets.adapters.jira import JiraTracker
from alerts.tickets.adapters.opening import open_tracker
from alerts.tickets.declared import STANDARD, by_name, declared, taking
from alerts.tickets.kinds import KINDS
from alerts.tickets.model import Tracker, TrackerKind
from controlplane.ports import Permanent
from controlplane.problems import with_secrets
from controlplane.specfile import Declared, SourceFile, read
from tests.alerts.documents import shown
from tests.alerts.tickets.happenings import NOW

GITHUB = """\
apiVersion: flyball.dev/v1
kind: Tracker
metadata: {name: work}
spec:
  takes: [cost]
  labels: [flyball, money]
  github: {repository: example/platform, tokenFrom: FLYBALL_GITHUB_TOKEN}
"""
JIRA = """\
apiVersion: flyball.dev/v1
kind: Tracker
metadata: {name: jobs}
spec:
  takes: [actions]
  jira: {project: OPS, url: "https://example.atlassian.net/", userFrom: FLYBALL_JIRA_USER, closeTransition: Finish}
"""
GITLAB = """\
apiVersion: flyball.dev/v1
kind: Tracker
metadata: {name: code}
spec:
  gitlab: {project: group/sub/platform, url: http://localhost:8080}
"""
FILES = """\
apiVersion: flyball.dev/v1
kind: Tracker
metadata: {name: folder}
spec:
  file: {}
"""


def trackers(*texts: str) -> Declared[Tracker]:
    result = read([SourceFile("alerts.yaml", "---\n".join(texts).encode())], KINDS)
    made = declared(result.documents)
    return Declared(made.values, (*result.problems, *made.problems))


def problems(old: str, new: str, text: str = GITHUB) -> list[str]:
    assert old in text, old
    return shown(trackers(text.replace(old, new, 1)).problems)


def test_a_tracker_is_read_as_it_is_written_with_the_rest_at_its_standard() -> None:
    made = trackers(GITHUB, JIRA)
    assert made.problems == ()
    jobs, work = made.values
    assert (work.kind, work.takes, work.labels) == (TrackerKind.GITHUB, {"cost"}, ("flyball", "money"))
    assert work.settings == {
        "repository": "example/platform",
        "tokenFrom": "FLYBALL_GITHUB_TOKEN",
        "url": "https://api.github.com",
    }
    assert jobs.settings == {
        "project": "OPS",
        "url": "https://example.atlassian.net",
        "issueType": "Task",
        "userFrom": "FLYBALL_JIRA_USER",
        "tokenFrom": "FLYBALL_JIRA_TOKEN",
        "closeTransition": "Finish",
    }
    assert jobs.labels == ("flyball",)


def test_who_takes_what_is_found_and_without_trackers_it_is_a_folder() -> None:
    both = trackers(GITHUB, JIRA).values
    assert [taking(both, what).name for what in ("cost", "actions")] == ["work", "jobs"]  # type: ignore[union-attr]
    assert taking(both[1:], "actions") is None
    assert taking((), "cost") is STANDARD
    assert by_name(both, "files") is STANDARD
    assert by_name(both, "gone") is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  github: {", "  file: {}\n  github: {",
         "8:3 spec.github: file and github exclude each other (a Tracker is one tracker)"),
        ("example/platform", "platform",
         "7:24 spec.github.repository: `platform` is not a repository (OWNER/NAME, such as example/platform)"),
        ("FLYBALL_GITHUB_TOKEN", "ghp_abcdef",
         "7:53 spec.github.tokenFrom: not the name of an environment variable (capitals, digits and `_`;"
         " the secret itself must not stand in a file)"),
        ("tokenFrom: FLYBALL_GITHUB_TOKEN", "token: ghp_abcdef",
         "7:42 spec.github.token: a secret in plain text (put it into an environment variable, and the"
         " variable's name under `tokenFrom`)"),
        ("tokenFrom: FLYBALL_GITHUB_TOKEN", "url: http://git.example/api",
         "7:47 spec.github.url: the token would travel in the clear (write https://)"),
        ("tokenFrom: FLYBALL_GITHUB_TOKEN", "url: https://a:b@git.example",
         "7:47 spec.github.url: credentials in the address (put it into an environment variable, and name that)"),
        ("tokenFrom: FLYBALL_GITHUB_TOKEN", "url: git.example",
         "7:47 spec.github.url: not a web address (such as https://tracker.example.com)"),
        ("money]", "two words]",
         "6:21 spec.labels[1]: `two words` is not a label (at most 50 characters, without spaces and commas:"
         " every tracker takes that)"),
        ("name: work", "name: Work",
         "3:18 metadata.name: `Work` is not a name: lower-case letters, digits and `-`, beginning and ending with"
         " one of the former (for example `work`)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands_with_the_way_out(old: str, new: str, expected: str) -> None:
    assert problems(old, new) == [expected]


def test_a_tracker_that_is_none_says_which_there_are() -> None:
    text = GITHUB.replace("  github: {repository: example/platform, tokenFrom: FLYBALL_GITHUB_TOKEN}\n", "")
    assert shown(trackers(text).problems) == ["5:3 spec: no tracker (write one of file, github, gitlab, jira)"]


def test_a_thing_is_opened_in_one_tracker_only() -> None:
    found = shown(trackers(GITHUB, GITLAB).problems)
    assert found == [
        "12:1 spec.takes: `cost` is taken by the Tracker work already (leave it out of `takes` here or at"
        " alerts.yaml:1:1: each ticket is opened once)"
    ]


def test_lines_with_secrets_are_marked_so_that_no_report_shows_them() -> None:
    text = GITHUB.replace("tokenFrom: FLYBALL_GITHUB_TOKEN", "token: ghp_abcdef")
    assert with_secrets(trackers(text).problems) == {("alerts.yaml", 7)}


def test_a_folder_above_the_workspace_is_none() -> None:
    found = problems("file: {}", "file: {directory: ../tickets}", FILES)
    assert found == ["5:21 spec.file.directory: a folder above the workspace (write it from the workspace on)"]


def test_declared_trackers_are_opened_with_the_secrets_that_they_name(tmp_path: Path) -> None:
    secrets = {
        "FLYBALL_GITHUB_TOKEN": "t",
        "FLYBALL_JIRA_TOKEN": "t",
        "FLYBALL_JIRA_USER": "u",
        "FLYBALL_GITLAB_TOKEN": "t",
    }
    found = [
        type(open_tracker(each, folder=tmp_path, secret=secrets.get, now=lambda: NOW))
        for text in (GITHUB, JIRA, GITLAB, FILES)
        for each in trackers(text).values
    ]
    assert found == [GitHubTracker, JiraTracker, GitLabTracker, FileTracker]


def test_a_secret_that_is_missing_is_named(tmp_path: Path) -> None:
    (jobs,) = trackers(JIRA).values
    secrets = {"FLYBALL_JIRA_TOKEN": "t"}
    with pytest.raises(Permanent, match="Tracker jobs needs FLYBALL_JIRA_USER or FLYBALL_JIRA_USER_FILE"):
        open_tracker(jobs, folder=tmp_path, secret=secrets.get, now=lambda: NOW)
