"""Places, and a queue for them."""

from functools import partial

from synthetics.prober.lanes import Lane


def test_who_finds_no_place_waits_for_one_and_they_are_served_in_order() -> None:
    lane, begun = Lane(2), list[str]()
    for name in "abcd":
        lane.enter(partial(begun.append, name))
    assert begun == ["a", "b"]
    assert (lane.taken, lane.waiting) == (2, 2)
    lane.leave()
    assert begun == ["a", "b", "c"]
    for _ in range(3):
        lane.leave()
    assert begun == ["a", "b", "c", "d"]
    assert (lane.taken, lane.waiting) == (0, 0)


def test_who_is_dismissed_does_not_begin() -> None:
    lane, begun = Lane(1), list[str]()
    waits = partial(begun.append, "b")
    lane.enter(partial(begun.append, "a"))
    lane.enter(waits)
    assert lane.dismiss(waits)
    assert not lane.dismiss(waits)
    lane.leave()
    assert begun == ["a"]
    assert lane.taken == 0
