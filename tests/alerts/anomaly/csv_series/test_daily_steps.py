"""Files with one value a day."""

from datetime import date, timedelta

import numpy as np

from alerts.anomaly.csv_series.model import Asked
from alerts.anomaly.csv_series.reading import read_csv
from alerts.anomaly.csv_series.scoring import Question, Scored, score_file
from alerts.anomaly.detector.model import Terms
from alerts.anomaly.detector.utc import plain_phases

FIRST = date(2026, 3, 2)


def test_days_are_compared_with_their_weekday_so_that_only_the_spike_is_anomalous() -> None:
    noise = np.random.default_rng(4).normal(1, 0.03, 150)
    days = [FIRST + timedelta(at) for at in range(150)]
    costs = [100 * (0.5 if day.weekday() >= 5 else 1) * noise[at] for at, day in enumerate(days)]
    costs[140] *= 1.8
    lines = "".join(f"{day},{cost:.2f}\n" for day, cost in zip(days, costs, strict=True))
    file = read_csv("costs.csv", f"date,cost\n{lines}".encode(), Asked())
    (found,) = score_file(file, Question(Terms()), None, lambda grid: (plain_phases(grid), None))
    assert isinstance(found, Scored)
    assert np.flatnonzero(found.anomalous()).tolist() == [140]
    assert 45 < found.of_steps("expected")[145] < 55  # a Saturday
