"""Alerts that a tier explains."""

import pytest

from tests.finops.ladder.reading.documents import problems_after

CASES = [
    pytest.param(
        "alertname: LatencyTooHigh, ",
        "",
        [
            (
                "spec.tiers[1].explains[0] «{service: assistant}» warning: explains every alert with these labels,"
                " whatever it is about = add `alertname` [ladder-explains]"
            ),
        ],
        id="any-alert",
    ),
    pytest.param(
        "alertname: LatencyTooHigh",
        "alertname: ~Ladder.*",
        [
            (
                "spec.tiers[1].explains[0].alertname «~Ladder.*» would silence `LadderAsksForApproval`, which tells"
                " of the ladder itself = name only alerts that it causes [ladder-explains]"
            ),
        ],
        id="alerts-of-the-ladder",
    ),
    pytest.param(
        "alertname: LatencyTooHigh",
        "alertname: LadderStepFailed",
        [
            (
                "spec.tiers[1].explains[0].alertname «LadderStepFailed» would silence `LadderStepFailed`, which"
                " tells of the ladder itself = name only alerts that it causes [ladder-explains]"
            ),
        ],
        id="an-alert-of-the-ladder",
    ),
    pytest.param(
        "alertname: LatencyTooHigh",
        "alertname: ~Ladder(",
        [
            (
                "spec.tiers[1].explains[0].alertname «~Ladder(» `Ladder(` is not a regular expression = Alertmanager"
                " reads RE2; it must match the whole value [ladder]"
            ),
        ],
        id="no-pattern",
    ),
    pytest.param(
        "alertname: LatencyTooHigh",
        "alertname: LatencyTooHigh, alert-name: x",
        [
            (
                "spec.tiers[1].explains[0].alert-name «alert-name» `alert-name` is not a label's name = letters,"
                " digits and `_`, as Prometheus has them [ladder]"
            ),
        ],
        id="no-label",
    ),
    pytest.param(
        "alertname: LatencyTooHigh",
        "alertname: ~(Latency|Errors)TooHigh",
        [],
        id="a-pattern",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: list[str]) -> None:
    assert problems_after(old, new) == told
