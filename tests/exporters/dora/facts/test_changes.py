"""Changes and artifacts from several statements about them."""

import pytest

from controlplane.model.delivery import Artifact, Change, DeliveryEvent
from exporters.dora.facts.folding import fold
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.dora.facts.telling import AT, HASH, MINUTE, SHOP, change, packaged

POLICY = DeliveryPolicy(services={"checkout-svc": "checkout"})


def folded(*events: DeliveryEvent) -> Change:
    found = fold(events[0].entity, events, POLICY)
    assert isinstance(found, Change)
    return found


def made(*events: DeliveryEvent) -> Artifact:
    found = fold(events[0].entity, events, POLICY)
    assert isinstance(found, Artifact)
    return found


def text(minutes: float) -> str:
    return (AT + minutes * MINUTE).isoformat()


def test_one_event_is_a_change() -> None:
    said = change(
        revision=HASH,
        firstCommitAt=text(-90),
        openedAt=text(-60),
        approvedAt=text(-10),
        services=["checkout-svc", "cart"],
        reverts="#5",
        hotfix=True,
        remedies="INC-7",
        title="Take  a\nslice",
        url="https://github.com/acme/shop/pull/7",
    )
    assert folded(said) == Change(
        id=f"{SHOP}#7", repository=SHOP, merged_at=AT, revision=HASH, first_commit_at=AT - 90 * MINUTE,
        opened_at=AT - 60 * MINUTE, approved_at=AT - 10 * MINUTE, services=("cart", "checkout"), reverts=f"{SHOP}#5",
        is_hotfix=True, remedies="INC-7", title="Take a slice", url="https://github.com/acme/shop/pull/7",
    )  # fmt: skip


def test_other_events_complete_it_and_without_a_merge_there_is_none() -> None:
    created, reviewed = change(predicate="created", minutes=-60), change(predicate="reviewed", minutes=-20)
    late = change(predicate="reviewed", minutes=5)
    assert fold(created.entity, [created, reviewed], POLICY) is None
    found = folded(created, reviewed, late, change())
    assert (found.opened_at, found.approved_at) == (AT - 60 * MINUTE, AT - 20 * MINUTE)
    assert folded(change(), late).approved_at is None
    assert folded(change(approvedAt=text(1))).approved_at is None


def test_the_first_merge_and_the_earliest_beginnings_count() -> None:
    found = folded(
        change(firstCommitAt=text(-30)),
        change(minutes=3, firstCommitAt=text(-90), openedAt=text(-20)),
        change(minutes=4, openedAt=text(-25)),
    )
    assert (found.merged_at, found.first_commit_at, found.opened_at) == (AT, AT - 90 * MINUTE, AT - 25 * MINUTE)


def test_a_first_commit_after_the_merge_stays_as_it_was_said() -> None:
    assert folded(change(firstCommitAt=text(30))).first_commit_at == AT + 30 * MINUTE


def test_a_commit_that_was_pushed_is_its_own_revision() -> None:
    assert folded(change(f"@{HASH}")).revision == HASH


@pytest.mark.parametrize(
    ("said", "reverts"),
    [
        ({"reverts": HASH.upper()}, HASH),
        ({"reverts": f"@{HASH}"}, HASH),
        ({"reverts": "acme/other#5"}, "github.com/acme/other#5"),
        ({"description": "Reverts acme/shop#5\n\nIt was slow."}, f"{SHOP}#5"),
        ({"description": "Revert it\n\nThis reverts merge request acme/shop!5"}, f"{SHOP}#5"),
        ({"description": f"Revert it\n\nThis reverts commit {HASH}."}, HASH),
        ({"description": "Reverts acme/shop#5", "reverts": "6"}, f"{SHOP}#6"),
        ({"description": "This reverts nothing"}, ""),
        ({"reverts": ["5"]}, ""),
    ],
)  # fmt: skip
def test_what_it_takes_back_is_named_or_described(said: dict[str, str], reverts: str) -> None:
    description = said.pop("description", "")
    assert folded(change(**said), change(predicate="created", minutes=-9, description=description)).reverts == reverts  # type: ignore[arg-type]


def test_hotfixes_are_told_by_label_branch_or_title_unless_somebody_says() -> None:
    assert folded(change(labels=["Hotfix"])).is_hotfix
    assert folded(change(branch="hotfix/1")).is_hotfix
    assert folded(change(title="Hotfix(tax): round up")).is_hotfix
    assert not folded(change(title="Write about hotfixes", labels=["docs"], branch="docs/hotfix")).is_hotfix
    assert not folded(change(labels=["hotfix"], hotfix=False)).is_hotfix
    assert not folded(change(labels=["hotfix"]), change(minutes=1, labels=[])).is_hotfix


def test_an_artifact_tells_what_it_was_made_from() -> None:
    image = "pkg:oci/shop@sha256%3A24"
    assert made(packaged(image)) == Artifact(image)
    assert made(packaged(image, change_id="7", source="https://github.com/acme/shop.git")) == Artifact(
        image, f"{SHOP}#7", SHOP
    )
    assert made(packaged(image, change_id=HASH, source="my-git.example/an-org/a-repo")) == Artifact(
        image, "", "my-git.example/an-org/a-repo", HASH
    )
    assert made(packaged(image, change_id="7", source="/event/source/123")) == Artifact(image, "7")
    assert made(packaged(image, change_id="7", repository=SHOP, revision=HASH)) == Artifact(
        image, f"{SHOP}#7", SHOP, HASH
    )
    source = f"pkg:github/acme/shop@{HASH}"
    assert made(packaged(source)) == Artifact(source, "", SHOP, HASH)
