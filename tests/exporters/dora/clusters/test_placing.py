"""Where measured performance stands among the clusters of an edition."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.dora.clusters.editions import editions
from exporters.dora.clusters.placing import Fit, Placement, cluster_of, placement_of
from exporters.dora.model import NOTHING, Distribution, Frequency, Metric
from tests.exporters.dora.hand_made import DAY, HOUR, busy, estimate, nothing, times

NAMED = tuple(editions())


def place(edition: str, metric: Metric, value: str | int) -> str:
    it = editions()[edition]
    return placement_of(Decimal(value), it.clusters, it.bands[metric]).in_words()


def test_every_edition_names_its_report_and_source() -> None:
    assert NAMED == ("2019", "2021", "2022", "2023", "2024")
    assert all(each.url == f"https://dora.dev/research/{each.name}/dora-report/" for each in editions().values())
    assert "2025" not in NAMED  # that report has no clusters any more


@pytest.mark.parametrize(
    ("edition", "metric", "value", "words"),
    [
        ("2024", Metric.LEAD_TIME, 5 * HOUR, "elite"),
        ("2024", Metric.LEAD_TIME, DAY, "high"),  # "less than one day" is not one day
        ("2024", Metric.LEAD_TIME, 40 * DAY, "low"),
        ("2024", Metric.LEAD_TIME, 400 * DAY, "worse than low"),
        ("2024", Metric.RECOVERY_TIME, 1800, "elite"),  # of nested ranges the narrowest
        ("2024", Metric.RECOVERY_TIME, 5 * HOUR, "high or medium"),
        ("2024", Metric.RECOVERY_TIME, 3 * DAY, "between medium and low"),
        ("2024", Metric.FAIL_RATE, "0.05", "elite"),
        ("2024", Metric.FAIL_RATE, "0", "elite"),
        ("2024", Metric.FAIL_RATE, "0.07", "between elite and medium"),  # that year medium ones failed less than high
        ("2024", Metric.FAIL_RATE, "0.15", "between medium and high"),
        ("2024", Metric.FAIL_RATE, "0.5", "worse than low"),
        ("2023", Metric.LEAD_TIME, 10 * DAY, "medium or low"),
        ("2022", Metric.LEAD_TIME, HOUR, "better than high"),
        ("2022", Metric.FAIL_RATE, "0.154", "high"),  # answered as 15 %
        ("2022", Metric.FAIL_RATE, "0.40", "between medium and low"),
        ("2021", Metric.LEAD_TIME, 5 * HOUR, "between elite and high"),
        ("2021", Metric.FAIL_RATE, "0.2", "high or medium or low"),
        ("2021", Metric.FREQUENCY, "3", "between elite and high"),
        ("2021", Metric.FREQUENCY, "200", "low"),
        ("2019", Metric.FAIL_RATE, "0.1", "elite or high or medium"),
        ("2019", Metric.RESTORE_TIME, 1800, "elite"),
    ],
)
def test_a_value_stands_where_the_report_says_or_between(edition: str, metric: Metric, value: str, words: str) -> None:
    assert place(edition, metric, value) == words


def test_older_editions_compare_all_incidents_and_newer_ones_failed_deployments() -> None:
    for name, edition in editions().items():
        assert (Metric.RECOVERY_TIME in edition.bands) == (name >= "2023")
        assert (Metric.RESTORE_TIME in edition.bands) == (name < "2023")
        assert len(edition.bands) == 4


def test_the_overall_place_is_the_median_of_four() -> None:
    edition = editions()["2024"]
    assert cluster_of(busy(), edition).overall == Placement(("elite",))
    slower = replace(busy(), frequency=replace(busy().frequency, per_day=estimate("0.5", 45)))
    assert cluster_of(slower, edition).overall == Placement(("elite", "high"), Fit.BETWEEN)


def test_one_metric_without_data_leaves_no_overall_place() -> None:
    edition = editions()["2024"]
    placed = cluster_of(replace(busy(), recovery_time=Distribution()), edition)
    assert placed.overall is None
    assert placed.missing == (Metric.RECOVERY_TIME,)
    assert placed.metrics[Metric.LEAD_TIME] == Placement(("high",))
    assert set(cluster_of(nothing(), edition).metrics.values()) == {None}


@given(st.sampled_from(NAMED), st.decimals(0, 10**9, places=6))
def test_every_value_has_a_place_and_worse_values_never_a_better_one(edition: str, value: Decimal) -> None:
    it = editions()[edition]
    for metric in it.bands:
        if it.bands[metric][0].typical is not None:
            continue  # in 2024 the clusters are not in the order of their rates
        found = [placement_of(each, it.clusters, it.bands[metric]) for each in (value, value * 2 + 1)]
        ranks = [sum(map(it.clusters.index, each.clusters)) / len(each.clusters) for each in found]
        assert ranks[0] <= ranks[1]


def test_how_seldom_is_compared_not_how_often() -> None:
    often = replace(busy(), frequency=Frequency(estimate(3, 270), 270, 90, 90, 270), lead_time=times(HOUR, 3))
    assert cluster_of(often, editions()["2019"]).metrics[Metric.FREQUENCY] == Placement(("elite",))
    never = replace(often, frequency=Frequency(NOTHING, 0, 90, 0, 0))
    assert cluster_of(never, editions()["2019"]).metrics[Metric.FREQUENCY] is None
