"""Labels on /metrics."""

import re

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from alerts.anomaly.exposition.labels import exposed_labels, written
from alerts.anomaly.labels import RESERVED


def test_labels_that_we_use_ourselves_are_exported_as_prometheus_does() -> None:
    (found,) = exposed_labels([{"detector": "a", "output": "b", "service": "checkout"}])
    assert found == {"exported_detector": "a", "exported_output": "b", "service": "checkout"}


def test_a_name_that_is_taken_twice_is_exported_twice() -> None:
    (found,) = exposed_labels([{"group": "a", "exported_group": "b"}])
    assert found == {"exported_exported_group": "a", "exported_group": "b"}


def test_a_metric_name_that_all_share_is_left_out() -> None:
    both = [{"__name__": "up", "zone": "a"}, {"__name__": "up", "zone": "b"}]
    assert exposed_labels(both) == [{"zone": "a"}, {"zone": "b"}]


def test_metric_names_that_differ_stay_told_apart() -> None:
    both = exposed_labels([{"__name__": "a"}, {"__name__": "b"}])
    assert both == [{"exported___name__": "a"}, {"exported___name__": "b"}]


def test_names_that_prometheus_2_refuses_lose_what_it_refuses() -> None:
    (found,) = exposed_labels([{"http.route": "/pay", "http_route": "mine", "1st": "x", "": "y", "empty": ""}])
    assert found == {"http_route": "mine", "exported_http_route": "/pay", "_1st": "x", "exported_": "y"}


NAMES = st.one_of(
    st.sampled_from(["detector", "exported_detector", "a", "a.b", "a_b", "__x", "Ä"]), st.text(max_size=4)
)


@given(st.lists(st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"])), max_size=5), max_size=4))
def test_whatever_labels_there_are_a_parser_reads_all_their_values_again(all_labels: list[dict[str, str]]) -> None:
    for labels, found in zip(all_labels, exposed_labels(all_labels), strict=True):
        assert not found.keys() & RESERVED
        assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in found)
        said = {value for name, value in labels.items() if value and name != "__name__"}
        assert said <= set(found.values())
        assert len(found) >= len([name for name, value in labels.items() if value and name != "__name__"])
        if any("\r" in value for value in found.values()):
            continue  # the parser of tests takes it for the end of a line, Prometheus does not
        (family,) = text_string_to_metric_families(f"m{{{written(found)}}} 1\n") if found else ((None,))
        assert family is None or family.samples[0].labels == found
