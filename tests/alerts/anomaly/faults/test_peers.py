from datetime import timedelta

import numpy as np
import pytest

from alerts.anomaly.faults.peers import grafana_adaptive, rolling_z

STEP = timedelta(minutes=5)


def test_a_rolling_z_score_counts_deviations_of_the_steps_before_and_skips_what_is_missing() -> None:
    values = np.array([[1, 3, 1, np.nan, 3, 6, 2]], dtype=np.float32)
    found = rolling_z(values, 4)[0]
    past = np.array([3, 1, 3])
    assert found[5] == pytest.approx(abs(6 - past.mean()) / past.std())
    assert np.isnan(found[[0, 1, 3]]).all()
    assert rolling_z(np.array([[2, 2, 2, 2, 2]], dtype=np.float32), 4)[0, -1] == 0


def test_grafanas_band_is_half_of_the_past_hour_at_least() -> None:
    values = np.full((3, 400), 100, dtype=np.float32)
    values[0, 300], values[1, 300], values[2, 300] = 140, 170, 0
    alarms = grafana_adaptive(values, STEP)
    assert np.flatnonzero(alarms[0]).tolist() == []
    assert np.flatnonzero(alarms[1]).tolist() == [300]
    assert not alarms[2].any(), "values of 0 are left out of the framework"


def test_a_spike_widens_grafanas_band_for_26_hours() -> None:
    values = np.full((3, 700), 100, dtype=np.float32)
    values[:2, 200:206] = 400
    values[0, 400], values[1, 580], values[2, 400] = 200, 200, 200
    alarms = grafana_adaptive(values, STEP)
    assert not alarms[0, 400]
    assert alarms[1, 580]
    assert alarms[2, 400]
