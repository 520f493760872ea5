"""What every tracker does. GitHub, GitLab and Jira are servers that check what they are sent."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.ports import RateLimited
from alerts.tickets.ports import Draft, Gone, Move
from controlplane.ports import Permanent, Transient
from tests.contracts.tracker_benches import (
    NOW,
    Bench,
    file_bench,
    github_bench,
    gitlab_bench,
    jira_bench,
)
from tests.outside import github
from tests.outside.failing import Asked, Failure

HOUR = timedelta(hours=1)
DRAFT = Draft(
    "action:1", "Cap the pool", "## What\n\n- bound it\n- **now**: [trace](https://t.example/1)", ("flyball",)
)
NETWORKED = ["github", "gitlab", "jira", "jira-at-home"]


def the_bench(name: str, folder: Path) -> AbstractContextManager[Bench]:
    if name == "file":
        return file_bench(folder / "tickets")
    if name.startswith("jira"):
        return jira_bench(is_cloud=name == "jira")
    return {"github": github_bench, "gitlab": gitlab_bench}[name]()


@pytest.fixture(params=["file", *NETWORKED])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with the_bench(str(request.param), tmp_path) as found:
        yield found


@pytest.fixture(params=NETWORKED)
def networked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with the_bench(str(request.param), tmp_path) as found:
        yield found


def test_a_ticket_that_is_opened_says_what_the_draft_says_and_is_found_by_its_key(bench: Bench) -> None:
    made = bench.tracker.open(DRAFT)
    title, body, labels, is_open = bench.read(made.outside_id)
    assert (title, labels, is_open) == ("Cap the pool", {"flyball"}, True)
    assert "bound it" in body
    assert "https://t.example/1" in body
    assert made.url
    assert bench.tracker.find("action:1", NOW - HOUR) == made
    assert bench.tracker.is_open(made.outside_id)


def test_the_key_of_another_ticket_finds_nothing(bench: Bench) -> None:
    bench.tracker.open(DRAFT)
    assert bench.tracker.find("action:2", NOW - HOUR) is None


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_lists_begin_at_the_time_that_is_asked_for_and_all_pages_are_read(name: str, tmp_path: Path) -> None:
    with the_bench(name, tmp_path) as bench:
        made = bench.tracker.open(DRAFT)
        for number in range(205):
            bench.tracker.open(Draft(f"action:{number + 10}", "Another", "body"))
        assert bench.tracker.find("action:1", NOW - HOUR) == made
        assert bench.tracker.find("action:1", NOW + HOUR * 24) is None
        assert bench.server
        pages = [each.path for each in bench.server.asked if each.method == "GET"]
    assert len(pages) == 4
    assert "page=3" in pages[2]


def test_a_closed_ticket_is_found_too(bench: Bench) -> None:
    made = bench.tracker.open(DRAFT)
    bench.close(made.outside_id)
    assert bench.tracker.find("action:1", NOW - HOUR) == made
    assert not bench.tracker.is_open(made.outside_id)


def test_a_mark_that_somebody_quotes_is_not_taken_for_the_ticket(bench: Bench) -> None:
    quoted = bench.read(bench.tracker.open(DRAFT).outside_id)[1]
    other = bench.tracker.open(Draft("action:3", "Quotes it", f"{quoted}\n\nend", ()))
    found = bench.tracker.find("action:3", NOW - HOUR)
    assert found == other
    assert bench.tracker.find("action:1", NOW - HOUR) != other


def test_an_update_changes_the_words_and_leaves_state_and_labels_to_people(bench: Bench) -> None:
    made = bench.tracker.open(DRAFT)
    bench.close(made.outside_id)
    bench.tracker.update(made.outside_id, Draft("action:1", "Cap both pools", "later", ("flyball",)), Move.STAYS)
    title, body, labels, is_open = bench.read(made.outside_id)
    assert (title, labels, is_open) == ("Cap both pools", {"flyball"}, False)
    assert "later" in body


def test_closing_and_reopening_twice_is_doing_it_once(bench: Bench) -> None:
    made = bench.tracker.open(DRAFT)
    for move, is_open in ((Move.CLOSES, False), (Move.CLOSES, False), (Move.REOPENS, True), (Move.REOPENS, True)):
        bench.tracker.update(made.outside_id, DRAFT, move)
        assert bench.read(made.outside_id)[3] is is_open
        assert bench.tracker.is_open(made.outside_id) is is_open
    assert bench.count() == 1


def test_a_ticket_that_somebody_deleted_is_gone(bench: Bench) -> None:
    made = bench.tracker.open(DRAFT)
    bench.delete(made.outside_id)
    with pytest.raises(Gone):
        bench.tracker.update(made.outside_id, DRAFT, Move.CLOSES)
    with pytest.raises(Gone):
        bench.tracker.is_open(made.outside_id)


def test_what_is_too_long_is_cut_within_the_limits_and_still_found(bench: Bench) -> None:
    made = bench.tracker.open(Draft("action:4", "ü" * 1000, "a line that goes on and on\n" * 50_000, ("flyball",)))
    assert "cut here" in bench.read(made.outside_id)[1]
    assert bench.tracker.find("action:4", NOW - HOUR) == made


@pytest.mark.parametrize(
    "failure",
    [Failure.TIMEOUT, Failure.SERVER_ERROR, Failure.UNAVAILABLE, Failure.RESET, Failure.SLOW_HEAD, Failure.SLOW_BODY],
)
def test_what_may_pass_is_transient_and_nothing_secret_is_told(failure: Failure) -> None:
    with github_bench() as bench:
        assert bench.server
        bench.server.fail(failure)
        with pytest.raises(Transient) as told:
            bench.tracker.open(DRAFT)
    assert github.TOKEN not in str(told.value)


def test_a_rate_limit_says_until_when(networked: Bench) -> None:
    assert networked.server
    networked.server.retry_after = 90
    networked.server.fail(Failure.TOO_MANY)
    with pytest.raises(RateLimited) as told:
        networked.tracker.open(DRAFT)
    assert told.value.until == NOW + timedelta(seconds=90)
    assert networked.count() == 0


def test_an_answer_that_got_lost_leaves_a_ticket_which_is_found(networked: Bench) -> None:
    assert networked.server
    networked.server.fail(Failure.LOST_ANSWER)
    with pytest.raises(Transient):
        networked.tracker.open(DRAFT)
    found = networked.tracker.find("action:1", NOW - HOUR)
    assert found
    assert networked.read(found.outside_id)[0] == "Cap the pool"


def test_garbage_and_refusals_are_lasting(networked: Bench) -> None:
    assert networked.server
    for failure in (Failure.GARBAGE, Failure.REFUSED):
        networked.server.fail(failure)
        with pytest.raises(Permanent):
            networked.tracker.open(DRAFT)


def test_of_two_tickets_of_one_key_the_older_is_the_one(networked: Bench) -> None:
    first, second = networked.tracker.open(DRAFT), networked.tracker.open(DRAFT)
    assert first != second
    assert networked.tracker.find("action:1", NOW - HOUR) == first


def test_a_token_that_is_refused_is_told_without_itself() -> None:
    with github_bench() as bench:
        assert bench.server
        from alerts.tickets.adapters.github import GitHubTracker

        tracker = GitHubTracker(bench.server.url, repository="example/platform", token="wrong-one", now=lambda: NOW)
        with pytest.raises(Permanent, match="Bad credentials") as told:
            tracker.open(DRAFT)
    assert "wrong-one" not in str(told.value)


def test_github_without_the_right_to_create_labels_says_what_to_do() -> None:
    with github_bench() as bench:
        bench.server.may_label = False  # type: ignore[union-attr]
        with pytest.raises(Permanent, match="Create the labels once, or leave them out"):
            bench.tracker.open(DRAFT)


def test_githubs_own_rate_limit_is_a_403_with_the_time_of_its_end() -> None:
    from alerts.tickets.adapters.asking import Asking
    from tests.outside.failing import Answered, FailingServer

    class Limited(FailingServer):
        def answer(self, asked: Asked) -> Answered:
            reset = str(int((NOW + timedelta(minutes=7)).timestamp()))
            return Answered(403, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})

    with Limited() as server:
        asking = Asking("GitHub", server.url, headers={}, secrets=(), now=lambda: NOW)
        with pytest.raises(RateLimited) as told:
            asking.ask("GET", "/")
    assert told.value.until == NOW + timedelta(minutes=7)


def test_jira_closes_by_the_transition_that_is_declared_or_says_which_there_are() -> None:
    with jira_bench(close_transition="Drop") as bench:
        made = bench.tracker.open(DRAFT)
        bench.tracker.update(made.outside_id, DRAFT, Move.CLOSES)
        assert bench.server.issues[made.outside_id]["status"] == "Won't do"  # type: ignore[union-attr]
    with jira_bench(close_transition="Resolve") as bench:
        made = bench.tracker.open(DRAFT)
        with pytest.raises(Permanent, match="no transition `Resolve` which closes it; it offers Start, Finish, Drop"):
            bench.tracker.update(made.outside_id, DRAFT, Move.CLOSES)
