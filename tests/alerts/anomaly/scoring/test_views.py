"""Series as the console lists them."""

from dataclasses import replace

import numpy as np

from alerts.anomaly.model import Maturity, Output
from alerts.anomaly.scoring.views import series_views
from tests.alerts.anomaly.scoring.latests import latest_of


def test_what_is_open_comes_first_then_the_highest_scores() -> None:
    found = latest_of(
        [{"s": name} for name in "abcd"],
        score=np.array([0.1, np.nan, 0.2, 0.9], dtype=np.float32),
        open={Output.POINT: np.array([False, True, False, False])},
    )
    assert [view.labels["s"] for view in series_views([found])] == ["b", "d", "c", "a"]
    assert [view.labels["s"] for view in series_views([found], most=2)] == ["b", "d"]


def test_what_is_not_known_is_none() -> None:
    found = replace(latest_of([{"s": "a"}]), value=np.array([np.nan]), upper=np.array([np.inf]))
    (view,) = series_views([found])
    assert (view.value, view.upper, view.baseline, view.maturity) == (None, None, "daily", Maturity.WEEKLY)


def test_one_detector_may_be_asked_for() -> None:
    both = [latest_of([{"s": "a"}], detector="x"), latest_of([{"s": "b"}], detector="y")]
    assert [view.detector for view in series_views(both, detector="y")] == ["y"]
    assert [view.detector for view in series_views(both)] == ["x", "y"]
