"""What GitHub and GitLab are read by alike."""

from collections.abc import Iterator

import pytest

from controlplane.model.event import JSON
from controlplane.ports import Permanent
from exporters.cloudevents.faults import Malformed
from exporters.repositories.adapters.hosted import Events, in_turn, understood


def changes(place: JSON) -> Iterator[tuple[Events, str]]:
    assert place == "2026-11-01"
    yield (), "2026-11-02T00:00:00Z"


def deployments(place: JSON) -> Iterator[tuple[Events, JSON, str]]:
    assert place == "there"
    yield (), "further", "deployments"


def test_changes_and_deployments_go_on_each_from_its_own_place() -> None:
    pages = list(in_turn({"changes": "2026-11-01", "deployments": "there"}, changes, deployments, what="merged"))
    assert [page.position for page in pages] == [
        {"changes": "2026-11-02T00:00:00Z", "deployments": "there"},
        {"changes": "2026-11-02T00:00:00Z", "deployments": "further"},
    ]
    assert pages[0].note == "requests merged before 2026-11-02"


def test_without_changes_their_place_stays() -> None:
    (page,) = in_turn({"changes": "2026-11-01", "deployments": "there"}, None, deployments, what="merged")
    assert page.position == {"changes": "2026-11-01", "deployments": "further"}


def test_an_answer_of_an_unknown_shape_is_permanent_and_names_the_field() -> None:
    told = "GitHub answers in an unknown shape: merged_at: is no time"
    with pytest.raises(Permanent, match=told), understood("GitHub"):
        raise Malformed("merged_at", "is no time")
