"""What git repositories tell: changes with their first commits, and tags with exactly what they brought."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane.store import SqlStore
from exporters.repositories.collecting import Collector
from exporters.repositories.model import ChangesFrom, DeploymentsFrom, DeploymentTerms, RepositoryService
from tests.exporters.repositories.histories import NOW, START, History, day, git
from tests.exporters.repositories.reading import changes, collect, deployments, opened, repository, titles, told


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "shop.git")


def test_a_merge_is_one_change_that_began_with_the_oldest_commit_of_its_branch(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    root = history.commit("Begin", day(0))
    history.commit("Cart, first part", day(3), authored=day(1), branch="cart", after=root)
    second = history.commit("Cart, second part", day(2), branch="cart")
    history.commit("Typo", day(2.5))
    merge = history.commit("Merge pull request #7 from acme/hotfix/cart", day(4), merges=[second])
    history.write()

    collect(repository(history.folder), store, tmp_path)

    found = changes(store)
    assert list(found) == ["Begin", "Typo", "Merge pull request #7 from acme/hotfix/cart"]
    merged = found["Merge pull request #7 from acme/hotfix/cart"]
    assert merged.at == day(4)
    assert merged.own["firstCommitAt"] == "2026-06-02T09:00:00Z"
    assert merged.own["revision"] == history.sha(merge)
    assert merged.own["branch"] == "hotfix/cart"
    assert merged.subject == f"@{history.sha(merge)}"
    assert found["Typo"].own["firstCommitAt"] == "2026-06-03T21:00:00Z"


def test_main_merged_into_a_branch_does_not_make_the_branch_older(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    root = history.commit("Begin", day(0))
    history.commit("Old work on main", day(1))
    history.commit("Work", day(5), branch="cart", after=root)
    on_main = history.heads["main"]
    tip = history.commit("Merge branch 'main' into cart", day(6), branch="cart", merges=[on_main])
    history.commit("Merge branch 'cart'", day(7), merges=[tip])
    history.write()

    collect(repository(history.folder), store, tmp_path)

    assert changes(store)["Merge branch 'cart'"].own["firstCommitAt"] == "2026-06-06T09:00:00Z"
    assert len(changes(store)) == 3


def test_each_commit_is_a_change_of_its_own_where_the_document_says_so(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    root = history.commit("Begin", day(0))
    history.tag("v0", root, day(0.1))
    history.commit("One", day(1), branch="cart", after=root)
    two = history.commit("Two", day(2), branch="cart")
    merge = history.commit("Merge branch 'cart'", day(4), merges=[two])
    history.tag("v1", merge, day(5))
    history.write()

    collect(repository(history.folder, changes=ChangesFrom.COMMITS), store, tmp_path)

    found = changes(store)
    assert set(found) == {"Begin", "One", "Two"}
    assert {found["One"].at, found["Two"].at} == {day(4)}
    assert titles(store, "v1") == ["Two", "One"]


def test_a_tag_brings_what_no_earlier_tag_had_and_the_first_one_only_itself(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    history.commit("One", day(0))
    first = history.commit("Two", day(1))
    history.tag("v1", first, day(1.5))
    history.commit("Three", day(2))
    second = history.commit("Four", day(3))
    history.tag("v2", second)
    history.write()

    collect(repository(history.folder), store, tmp_path)

    found = deployments(store)
    assert (found["v1"].at, found["v2"].at) == (day(1.5), day(3)), "a bare tag has its commit's time"
    assert titles(store, "v1") == ["Two"]
    assert titles(store, "v2") == ["Four", "Three"]
    assert found["v2"].own["revision"] == history.sha(second)
    assert found["v2"].type.startswith("dev.cdevents.service.deployed.")


def test_patches_of_a_release_branch_are_compared_with_their_own_line(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    one = history.commit("One", day(0))
    history.tag("v1.0", one, day(0.5))
    two = history.commit("Two", day(1))
    history.tag("v2.0", two, day(2))
    patch = history.commit("Patch", day(3), branch="release-1", after=one)
    history.tag("v1.1", patch, day(3.5))
    three = history.commit("Three", day(4))
    merge = history.commit("Merge branch 'release-1'", day(5), merges=[patch])
    history.tag("v2.1", merge, day(6))
    history.write()

    collect(repository(history.folder), store, tmp_path)

    assert titles(store, "v2.0") == ["Two"]
    assert titles(store, "v1.1") == ["Patch"], "neither what v2.0 had nor nothing at all"
    assert titles(store, "v2.1") == ["Merge branch 'release-1'", "Three"]
    assert changes(store)["Patch"].own["revision"] == history.sha(patch)
    assert history.sha(three) in {each.own["revision"] for each in changes(store).values()}


def test_tags_of_one_commit_and_those_of_an_older_one_bring_nothing(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    one = history.commit("One", day(0))
    two = history.commit("Two", day(1))
    history.tag("v1", one, day(0.5))
    history.tag("v2", two, day(2))
    history.tag("v2-again", two, day(3))
    history.tag("v1-again", one, day(4))
    history.write()

    collect(repository(history.folder), store, tmp_path)

    assert titles(store, "v2") == ["Two"]
    assert titles(store, "v2-again") == []
    assert titles(store, "v1-again") == []
    for version in ("v2-again", "v1-again"):
        assert "revision" not in deployments(store)[version].own, "changes would be worked out from it"


def test_a_tag_that_was_made_later_for_an_older_commit_takes_nothing_from_the_one_before(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    zero = history.commit("Zero", day(0))
    one = history.commit("One", day(1))
    two = history.commit("Two", day(2))
    history.tag("v0", zero, day(0.5))
    history.tag("v2", two, day(3))
    history.tag("v1-late", one, day(4))
    history.write()

    collect(repository(history.folder), store, tmp_path)

    assert titles(store, "v2") == ["Two", "One"]
    assert titles(store, "v1-late") == []


def test_pre_releases_and_what_is_excluded_are_no_deployments_and_bound_none(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    for number, name in enumerate(("v1.0.0", "v1.1.0-rc.1", "nightly-2026", "v1.1.0", "docs-1")):
        history.tag(name, history.commit(f"For {name}", day(number)), day(number + 0.5))
    history.write()

    terms = DeploymentTerms(DeploymentsFrom.TAGS, excluded=("nightly-*",))
    found = repository(
        history.folder, deployments=terms, services=[RepositoryService("shop", tags=("v*", "nightly-*"))]
    )
    collect(found, store, tmp_path)

    assert list(deployments(store)) == ["v1.0.0", "v1.1.0"]
    assert titles(store, "v1.1.0") == ["For v1.1.0", "For nightly-2026", "For v1.1.0-rc.1"]


def test_services_of_one_repository_get_the_changes_that_touch_them(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    first = history.commit("Begin", day(0), files=["checkout/a", "billing/a"])
    history.tag("v1", first, day(0.5))
    history.commit("Checkout", day(1), files=["checkout/src/a", "README.md"])
    history.commit("Docs", day(2), files=["README.md"])
    side = history.commit("Billing, aside", day(3), files=["billing/b"], branch="b", after=history.heads["main"])
    last = history.commit("Merge branch 'b'", day(4), merges=[side], files=["billing/b"])
    history.tag("v2", last, day(5))
    history.write()
    services = [RepositoryService("checkout", ("checkout/**",)), RepositoryService("billing", ("billing/**",))]

    collect(repository(history.folder, services=services), store, tmp_path)

    found = changes(store)
    assert {title: each.own["services"] for title, each in found.items()} == {
        "Begin": ["checkout", "billing"],
        "Checkout": ["checkout"],
        "Docs": ["-"],
        "Merge branch 'b'": ["billing"],
    }
    assert titles(store, "v2 checkout") == ["Checkout"]
    assert titles(store, "v2 billing") == ["Merge branch 'b'"]
    runs = {each.own["run"] for each in deployments(store).values() if each.own["version"] == "v2"}
    assert runs == {"git.example.com/acme/shop@v2"}


def test_services_with_tags_of_their_own_are_bounded_by_their_own_tags(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    for number, name in enumerate(("a-v1", "b-v1", "a-v2", "b-v2")):
        history.tag(name, history.commit(f"For {name}", day(number)), day(number + 0.5))
    history.write()
    services = [RepositoryService("a", tags=("a-v*",)), RepositoryService("b", tags=("b-v*",))]

    collect(repository(history.folder, services=services), store, tmp_path)

    assert titles(store, "a-v2 a") == ["For a-v2", "For b-v1"]
    assert titles(store, "b-v2 b") == ["For b-v2", "For a-v2"]


def test_reverts_are_found_by_hash_by_title_and_inside_a_merge(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    bad = history.commit("Faster cart", day(0))
    history.write()
    sha = history.sha(bad)
    history.commit(f'Revert "Faster cart"\n\nThis reverts commit {sha}.', day(1))
    history.commit('Revert "Faster cart" (#12)', day(2))
    side = history.commit(
        f'Revert "Faster cart"\n\nThis reverts commit {sha}.', day(3), branch="revert", after=history.heads["main"]
    )
    history.commit("Merge pull request #13 from acme/revert-12", day(4), merges=[side])
    history.commit(f'Reapply "Faster cart"\n\nThis reverts commit {sha}.', day(5))
    history.write()

    collect(repository(history.folder), store, tmp_path)

    found = changes(store)
    assert found['Revert "Faster cart"'].own["reverts"] == sha
    assert found['Revert "Faster cart" (#12)'].own["reverts"] == sha
    assert found["Merge pull request #13 from acme/revert-12"].own["reverts"] == sha
    assert "reverts" not in found['Reapply "Faster cart"'].own


@pytest.mark.parametrize("absurd", [0, 4_070_908_800, 2**40], ids=["1970", "2099", "36812"])
def test_a_clock_that_was_never_right_tells_no_times(
    history: History, store: SqlStore, tmp_path: Path, absurd: int
) -> None:
    history.commit("One", day(0))
    history.commit("Author's clock", day(1), authored=absurd)
    history.commit("Committer's clock", absurd, authored=day(2))
    history.commit("Both clocks", absurd, authored=absurd)
    tip = history.commit("Two", day(4))
    history.tag("v1", tip, absurd)
    history.write()

    collect(repository(history.folder), store, tmp_path)

    found = changes(store)
    assert "firstCommitAt" not in found["Author's clock"].own
    assert found["Committer's clock"].at == day(2)
    assert found["Both clocks"].at == day(4), "it was there when the next one came"
    assert deployments(store)["v1"].at == day(4)


def test_a_commit_that_was_authored_after_it_was_committed_keeps_the_contradiction(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    history.commit("Skewed", day(1), authored=day(1.5))
    history.write()

    collect(repository(history.folder), store, tmp_path)

    skewed = changes(store)["Skewed"]
    assert (skewed.at, skewed.own["firstCommitAt"]) == (day(1), "2026-06-02T21:00:00Z")


def test_what_was_told_is_not_told_again_and_what_is_new_is(history: History, store: SqlStore, tmp_path: Path) -> None:
    history.tag("v1", history.commit("One", day(0)), day(0.5))
    found = repository(history.write())
    assert (collect(found, store, tmp_path).taken, collect(found, store, tmp_path).taken) == (2, 0)
    history.tag("v2", history.commit("Two", day(1)), day(1.5))
    history.write()

    again = collect(found, store, tmp_path)

    assert (again.taken, again.duplicates, again.conflicts) == (2, 0, 0)
    assert titles(store, "v2") == ["Two"]


def test_a_tag_that_was_moved_is_another_deployment_and_one_that_was_deleted_stays(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    one = history.commit("One", day(0))
    history.tag("latest", one, day(0.5))
    history.tag("v1", one, day(0.6))
    found = repository(history.write())
    collect(found, store, tmp_path)
    history.tag("latest", history.commit("Two", day(1)), day(1.5))
    history.write()
    git("update-ref", "-d", "refs/tags/v1", at=history.folder)

    collect(found, store, tmp_path)

    assert [(each.own["version"], each.at) for each in told(store, "service.")] == [
        ("latest", day(0.5)),
        ("v1", day(0.6)),
        ("latest", day(1.5)),
    ]
    assert len({each.own["deployment"] for each in told(store, "service.")}) == 3


def test_history_that_was_rewritten_makes_no_new_changes_of_commits_that_only_moved(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    root = history.commit("One", day(0))
    history.tag("v1", root, day(0.5))
    two = history.commit("Two", day(1))
    history.commit("Lost", day(2))
    url = f"file://{history.write()}"
    found = repository(url)
    collect(found, store, tmp_path)
    history.commit("Two", day(3), authored=day(1), after=root, files=["file-2", "new"])
    tip = history.commit("Three", day(4))
    history.tag("v2", tip, day(5))
    history.write()

    collect(found, store, tmp_path)

    assert sorted(changes(store)) == ["Lost", "One", "Three", "Two"]
    assert changes(store)["Two"].own["revision"] == history.sha(two), "the change that it was"
    assert len(told(store, "change.")) == 4
    assert titles(store, "v2") == ["Three", "Two"], "what was lost was not delivered"


def test_history_that_was_made_anew_from_its_root_is_recognised(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    for number in range(5):
        history.commit(f"Commit {number}", day(number))
    found = repository(f"file://{history.write()}")
    collect(found, store, tmp_path)
    other = History(tmp_path / "shop.git")
    other.lines = [b"reset refs/heads/main", b""]
    git("update-ref", "-d", "refs/heads/main", at=history.folder)
    (history.folder / "marks").unlink()
    for number in range(6):
        other.commit(f"Commit {number}", day(number + 10), authored=day(number), files=["other"])
    other.write()

    collect(found, store, tmp_path)

    assert sorted(each.own["title"] for each in told(store, "change.")) == [f"Commit {number}" for number in range(6)]


def test_only_what_is_young_enough_is_told_but_releases_are_whole(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    history.tag("v1", history.commit("One", day(0)), day(0.5))
    history.commit("Two", day(1))
    for number in range(3):
        history.commit(f"Young {number}", day(80 + number))
    history.tag("v2", history.heads["main"], day(85))
    history.write()

    collect(repository(history.folder, since=timedelta(days=20)), store, tmp_path)

    assert list(deployments(store)) == ["v2"]
    assert titles(store, "v2") == ["Young 2", "Young 1", "Young 0", "Two"]


def test_reading_further_back_tells_what_is_older_and_nothing_twice(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    for number in range(9):
        history.tag(f"v{number}", history.commit(f"Commit {number}", day(number * 10)), day(number * 10 + 1))
    history.write()
    collect(repository(history.folder, since=timedelta(days=30)), store, tmp_path)
    few = len(told(store, ""))

    again = collect(repository(history.folder, since=timedelta(days=300)), store, tmp_path)

    assert few < 18 == len(told(store, ""))
    assert (again.duplicates, again.conflicts) == (0, 0)


def test_a_document_that_says_something_else_is_told_above_what_was_told(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    history.tag("v1", history.commit("One", day(0), files=["checkout/a"]), day(0.5))
    history.write()
    collect(repository(history.folder, services=[RepositoryService("checkout", ("chekout/**",))]), store, tmp_path)

    again = collect(
        repository(history.folder, services=[RepositoryService("checkout", ("checkout/**",))]), store, tmp_path
    )

    assert (again.taken, again.conflicts) == (2, 0)
    first, second = told(store, "change.")
    assert (first.own["services"], second.own["services"]) == (["-"], ["checkout"])
    assert first.id < second.id, "of the same time the last id has the last word"
    with store.transaction(read_only=True) as transaction:
        entities, _ = transaction.delivery.entities_after(0, 100)
    assert len(entities) == 2, "the same change and the same deployment"


def test_a_shallow_clone_is_refused_with_the_way_out(history: History, store: SqlStore, tmp_path: Path) -> None:
    for number in range(3):
        history.commit(f"Commit {number}", day(number))
    git("clone", "-q", "--depth=1", f"file://{history.write()}", str(tmp_path / "shallow"))

    collected = collect(repository(tmp_path / "shallow"), store, tmp_path)

    assert "shallow clone" in collected.error
    assert "fetch-depth: 0" in collected.error


def test_work_trees_worktrees_and_detached_heads_are_read(history: History, store: SqlStore, tmp_path: Path) -> None:
    history.commit("One", day(0))
    history.write()
    git("clone", "-q", f"file://{history.folder}", str(tmp_path / "work"))
    git("-C", str(tmp_path / "work"), "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))

    for folder in ("work", "tree"):
        assert not collect(repository(tmp_path / folder, branch=""), store, tmp_path).error
    assert list(changes(store)) == ["One"]


@pytest.mark.parametrize(("branch", "said"), [("nowhere", "there is no branch nowhere"), ("", "it has no commits yet")])
def test_a_branch_that_is_not_there_is_named(tmp_path: Path, store: SqlStore, branch: str, said: str) -> None:
    git("init", "-q", "--bare", str(tmp_path / "shop.git"))

    assert said in collect(repository(tmp_path / "shop.git", branch=branch), store, tmp_path).error


def test_a_clone_is_brought_up_to_date_and_follows_the_remotes_own_branch(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    history.tag("v1", history.commit("One", day(0)), day(0.5))
    found = repository(f"file://{history.write()}", branch="")
    git("config", "uploadpack.allowFilter", "true", at=history.folder)
    collect(found, store, tmp_path)
    history.tag("v2", history.commit("Two", day(1)), day(1.5))
    history.write()

    assert collect(found, store, tmp_path).taken == 2

    clone = next((tmp_path / "clones").glob("*.git"))
    missing = git("rev-list", "--objects", "--all", "--missing=print", at=clone)
    assert "?" in missing, "the content of files was not fetched"
    assert git("for-each-ref", "refs/flyball", at=clone).endswith("refs/flyball/seen/shop")


def test_what_a_killed_git_left_behind_does_not_stop_the_next_one(
    history: History, store: SqlStore, tmp_path: Path
) -> None:
    history.commit("One", day(0))
    found = repository(f"file://{history.write()}")
    collect(found, store, tmp_path)
    clone = next((tmp_path / "clones").glob("*.git"))
    for name in ("packed-refs.lock", "refs/heads/main.lock", "config.lock"):
        (clone / name).touch()
    history.commit("Two", day(1))
    history.write()

    assert not collect(found, store, tmp_path).error
    (clone / "flyball-complete").unlink()
    (clone / "HEAD").write_text("half")
    assert not collect(found, store, tmp_path).error, "a clone that was never whole is begun anew"


def test_reading_can_stop_between_two_pages_and_goes_on_there(
    history: History, store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporters.repositories.history.seen.PAGE", 2)
    for number in range(7):
        history.tag(f"v{number}", history.commit(f"Commit {number}", day(number)), day(number + 0.5))
    found = repository(history.write())
    turns, taken = 0, 0
    while True:
        turn = Collector(store).collect(found, opened(found, tmp_path), NOW, may_go_on=lambda: False)
        turns, taken = turns + 1, taken + turn.taken
        assert (turn.duplicates, turn.conflicts) == (0, 0)
        if not turn.taken:
            break

    assert taken == 14 == len(told(store, ""))
    assert turns > 7


def test_a_first_commit_stands_before_nothing(history: History, store: SqlStore, tmp_path: Path) -> None:
    history.commit("Caf\u00e9 \U0001f680\x01 \u2028 end", START)
    history.write()

    collect(repository(history.folder), store, tmp_path)

    (title,) = changes(store)
    assert title.isprintable()
    assert changes(store)[title].at == datetime(2026, 6, 1, 9, tzinfo=UTC)
