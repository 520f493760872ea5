import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.anomaly.detector.model import Booleans
from alerts.anomaly.faults.judging import Verdict, added, best_threshold, candidates, judged, runs


def _flags(text: str) -> Booleans:
    return np.array([each == "x" for each in text])


def test_a_fault_is_found_by_an_alarm_in_it_however_many_there_are() -> None:
    verdict = judged(_flags("....xx.x.."), _flags("...xxxxx.."), grace=0, merge=0)
    assert verdict == Verdict(found=1, missed=0, false=0, delays=(1,))


def test_an_alarm_shortly_after_a_fault_still_finds_it_and_one_before_foresaw_nothing() -> None:
    faulty = _flags("...xx.....")
    assert judged(_flags("......x..."), faulty, grace=2, merge=0) == Verdict(1, 0, 0, (3,))
    assert judged(_flags(".......x.."), faulty, grace=2, merge=0) == Verdict(0, 1, 1)
    assert judged(_flags("..x......."), faulty, grace=2, merge=0) == Verdict(0, 1, 1)


def test_what_an_alarm_lasts_beyond_its_fault_is_a_false_alarm() -> None:
    assert judged(_flags("..xxxxxx.."), _flags("...xx....."), grace=1, merge=0) == Verdict(1, 0, 2, (0,))
    assert judged(_flags("..xxxxxx.."), _flags("...xx....."), grace=1, merge=3) == Verdict(1, 0, 1, (0,))


def test_false_alarms_close_together_are_one() -> None:
    alarms = _flags("x..x....x.")
    assert judged(alarms, _flags(".........."), grace=0, merge=2).false == 2
    assert judged(alarms, _flags(".........."), grace=0, merge=4).false == 1
    assert judged(alarms, _flags(".........."), grace=0, merge=1).false == 3


def test_precision_recall_and_f1_of_events() -> None:
    verdict = added([Verdict(3, 1, 2, (0, 1, 2)), Verdict(0, 0, 1)])
    assert (verdict.recall, verdict.precision, verdict.f1) == (3 / 4, 3 / 6, 6 / 10)
    assert verdict.delays == (0, 1, 2)
    assert all(math.isnan(each) for each in (Verdict(0, 0, 0).f1, Verdict(0, 0, 1).recall, Verdict(0, 1, 0).precision))


def test_the_best_threshold_is_the_one_with_the_best_f1_over_all_series() -> None:
    scores = [np.array([0, 5, 1, 0], dtype=np.float32), np.array([0, 2, 0, 3], dtype=np.float32)]
    faulty = [_flags(".x.."), _flags("...x")]
    threshold, verdict = best_threshold(scores, faulty, grace=0, merge=0, thresholds=[0.5, 2.5, 4])
    assert (threshold, verdict.f1) == (2.5, 1)
    assert candidates([np.array([np.nan], dtype=np.float32)]).tolist() == [0]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 8))
def test_runs_cover_every_flag_and_lie_further_apart_than_what_is_merged(flags: list[bool], merge: int) -> None:
    array = np.array(flags)
    found = runs(array, merge)
    assert sum(int(array[start:stop].sum()) for start, stop in found) == array.sum()
    assert all(array[start] and array[stop - 1] for start, stop in found)
    assert all(later[0] - earlier[1] > merge for earlier, later in pairwise(found))


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60), st.integers(0, 5), st.integers(0, 5)
)  # fmt: skip
def test_every_fault_is_found_or_missed_once_and_only_alarms_outside_faults_are_false(
    steps: list[tuple[bool, bool]], grace: int, merge: int
) -> None:
    alarms, faulty = (np.array(part) for part in zip(*steps, strict=True))
    verdict = judged(alarms, faulty, grace=grace, merge=merge)
    assert verdict.found + verdict.missed == len(runs(faulty))
    assert len(verdict.delays) == verdict.found
    assert verdict.false <= len(runs(alarms & ~faulty))
    assert judged(faulty, faulty, grace=grace, merge=merge).f1 == pytest.approx(1) or not faulty.any()
