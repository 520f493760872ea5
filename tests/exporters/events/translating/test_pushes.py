"""Which changes a push brings, by the words of its commits."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from exporters.events.translating.pushes import Brought, Commit, brought

START = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)


def commit(number: int, message: str = "Work", *, is_by_host: bool = False) -> Commit:
    """One an hour after the other."""
    return Commit(f"{number:040x}", message, START + timedelta(hours=number), is_by_host=is_by_host)


def changes(*commits: Commit, branch: str = "main") -> list[tuple[str, int, int | None]]:
    """(number, head, hour of the first commit) of each."""
    found = brought(commits, branch=branch, head=commits[-1].revision, is_cut=False)
    return [(_short(each), int(each.head.revision, 16), _hour(each)) for each in found]


def _short(each: Brought) -> str:
    return "@" if each.number.startswith("@") else each.number


def _hour(each: Brought) -> int | None:
    return None if each.first_commit_at is None else (each.first_commit_at - START) // timedelta(hours=1)


def test_a_merge_takes_in_what_came_before_it() -> None:
    merge = commit(3, "Merge pull request #12 from acme/topic\n\nTopic")
    assert changes(commit(1), commit(2), merge) == [("12", 3, 1)]


def test_a_queue_lands_several_requests_at_once() -> None:
    first, second = (commit(n, f"Merge pull request #{n} from acme/topic") for n in (2, 4))
    assert changes(commit(1), first, commit(3), second) == [("2", 2, 1), ("4", 4, 3)]


def test_a_squashed_request_does_not_tell_when_it_began() -> None:
    squashed = commit(2, "Round once (#12)\n\n* one\n* two", is_by_host=True)
    assert changes(squashed) == [("12", 2, None)]
    assert changes(squashed, commit(3, "Other (#13)", is_by_host=True)) == [("12", 2, None), ("13", 3, None)]


def test_a_merge_may_be_titled_like_its_request() -> None:
    assert changes(commit(1), commit(2), commit(3, "Round once (#12)", is_by_host=True)) == [("12", 3, 1)]


def test_a_number_that_a_person_wrote_is_no_request() -> None:
    assert changes(commit(2, "Fix the crash (#12)")) == [("@", 2, 2)]


def test_gitlabs_merges_name_their_request_below() -> None:
    merge = commit(2, "Merge branch 'topic' into 'main'\n\nTopic\n\nSee merge request acme/shop!12")
    assert changes(commit(1), merge) == [("12", 2, 1)]


def test_a_merge_without_a_request_is_one_change() -> None:
    assert changes(commit(1), commit(2), commit(3, "Merge branch 'topic'")) == [("@", 3, 1)]
    assert changes(commit(1), commit(2, "Merge remote-tracking branch 'origin/topic'")) == [("@", 2, 1)]
    assert changes(commit(3, "Merge tag 'v1'")) == [("@", 3, None)]


def test_merging_the_branch_into_itself_brings_nothing_of_its_own() -> None:
    pulled = commit(2, "Merge branch 'main' of github.com:acme/shop")
    assert changes(commit(1), pulled, commit(3)) == [("@", 1, 1), ("@", 3, 3)]
    update = commit(2, "Merge branch 'main' into topic")
    merge = commit(4, "Merge pull request #12 from acme/topic")
    assert changes(commit(1), update, commit(3), merge) == [("12", 4, 1)]
    assert changes(commit(1), pulled) == [("@", 2, 1)]  # the head: deployments of it must find it


def test_a_direct_revert_names_the_revision() -> None:
    [each] = brought(
        [commit(1, f'Revert "Round once"\n\nThis reverts commit {"ab" * 20}.')], branch="main", head="x", is_cut=False
    )
    assert each.own("main")["reverts"] == "ab" * 20


MESSAGES = st.sampled_from(
    ["Work", "Work (#7)", "Merge pull request #8 from a/b", "Merge branch 'x'", "Merge branch 'main' into x", "", "\n",
     "Merge branch 'x' into 'main'\n\nSee merge request a!9", 'Revert "Work"\n\nThis reverts commit abcdef1']
)  # fmt: skip


@given(st.lists(st.tuples(MESSAGES | st.text(), st.booleans()), min_size=1, max_size=12), st.booleans())
def test_every_push_brings_its_head_and_no_revision_twice(made: list[tuple[str, bool]], is_cut: bool) -> None:
    commits = [commit(n, message, is_by_host=by_host) for n, (message, by_host) in enumerate(made)]
    found = brought(commits, branch="main", head=commits[-1].revision, is_cut=is_cut)
    revisions = [each.head.revision for each in found]
    assert revisions[-1] == commits[-1].revision
    assert revisions == sorted(set(revisions))
    assert all(each.first_commit_at is None or each.first_commit_at <= each.head.at for each in found)
