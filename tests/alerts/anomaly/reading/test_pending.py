"""Steps that are still to be read."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.anomaly.reading.pending import Pending

_step = st.integers(0, 30)


@given(
    st.lists(st.tuples(st.sampled_from(["add", "remove", "keep_from"]), _step, _step), max_size=12), st.integers(1, 9)
)
def test_intervals_are_the_set_of_their_steps(changes: list[tuple[str, int, int]], most: int) -> None:
    pending, steps = Pending(), set[int]()
    for what, first, end in changes:
        if what == "add":
            pending.add(first, end)
            steps |= set(range(first, end))
        elif what == "remove" and first < end:
            pending.remove(first, end)
            steps -= set(range(first, end))
        elif what == "keep_from":
            pending.keep_from(first)
            steps = {step for step in steps if step >= first}
    assert len(pending) == len(steps)
    while (newest := pending.newest(most)) is not None:
        run = list(range(max(steps) - most + 1, max(steps) + 1))
        while not set(run) <= steps:
            run.pop(0)
        assert newest == (run[0], run[-1] + 1)
        pending.remove(*newest)
        steps -= set(run)
    assert not steps
