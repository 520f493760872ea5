"""How far a fact reaches: that each day is needed. `measuring/test_any_order.py` shows that they are enough."""

from controlplane.model.delivery import Correction, SheetKey
from exporters.dora.reckoning.reach import FactChange, days_of_correction, days_touched
from tests.exporters.dora.reckoning.memory_log import Fact, MemoryLog
from tests.exporters.dora.reckoning.telling import MONDAY, POLICY, at, judged, read, told

TODAY = at("50/00:00").date()


def touched(known: str, new: str, old: str = "", service: str = "shop") -> set[int]:
    """Days (the first is 1) that a fact touches which comes when others are known."""
    log = MemoryLog(*read(known))
    ((fact,), _) = read(new)
    before: Fact | None = read(old)[0][0] if old else None
    keys = days_touched(log, [FactChange(before, fact)], POLICY, TODAY)  # type: ignore[arg-type]
    return numbers(keys, service)


def numbers(keys: list[SheetKey], service: str = "shop") -> set[int]:
    return {(key.day - MONDAY.date()).days + 1 for key in keys if key.service == service}


def test_a_deployment_reaches_back_to_what_it_may_mend_and_blame() -> None:
    found = touched("", "10/12:00 deploys d1 v=1")
    assert {8, 9, 10, 11} <= found
    assert min(found) == 7  # back: 2 · 1 d followed, 1 d of causes
    assert max(found) == 13


def test_a_deployment_that_comes_late_takes_changes_from_the_next_however_far() -> None:
    known = """
        1/08:00 change c1 rev=r1 first=1/07:00
        2/08:00 change c2 rev=r2 first=2/07:00
        3/08:00 change c3 rev=r3 first=3/07:00
        1/09:00 deploys d1 rev=r1
        30/09:00 deploys d3 rev=r3
    """
    late = "2/09:00 deploys d2 rev=r2"
    assert "d3: c2 in 674:00; c3 in 650:00" in told(judged(known))
    assert "d3: c3 in 650:00" in told(judged(known + late))
    assert 30 in touched(known, late)


def test_it_reaches_ten_deployments_far_and_no_further() -> None:
    known = "\n".join(f"{day}/08:00 deploys d{day} v={day}" for day in range(10, 40, 2))
    found = touched(known, "2/08:00 deploys d2 v=2")
    assert set(range(10, 29, 2)) <= found  # the tenth is on day 28
    assert 34 not in found


def test_an_incident_reaches_what_it_may_be_held_against() -> None:
    assert {9, 10} <= touched("", "10/03:00 incident i1")


def test_one_that_names_a_deployment_reaches_that() -> None:
    known = "1/08:00 deploys d1 v=1"
    assert 1 in touched(known, "30/08:00 incident i1 names=d1")
    assert 1 in touched(known, "30/08:00 incident i1 names=1")
    assert 1 not in touched(known, "30/08:00 incident i1 names=2")


def test_a_deployment_that_comes_late_reaches_the_incident_that_names_it() -> None:
    known = "30/08:00 incident i1 names=d1 of=pay"
    assert touched(known, "1/08:00 deploys d1 v=1", service="pay") >= {30}


def test_a_change_reaches_deployments_of_its_repository_and_those_that_name_it() -> None:
    known = """
        1/08:00 deploys d0 rev=r0
        10/08:00 deploys d1 rev=r1
        20/08:00 deploys d2 names=c9
        00:00 artifact a1 rev=r5
        25/08:00 deploys d3 art=a1
    """
    found = touched(known, "15/08:00 change c9 rev=r9")
    assert {10, 20, 25} <= found
    assert 1 not in found


def test_an_artifact_reaches_its_deployments() -> None:
    assert 25 in touched("25/08:00 deploys d3 art=a1", "00:00 artifact a1 rev=r5")


def test_a_fact_that_moves_reaches_both_its_days() -> None:
    found = touched("", "20/08:00 deploys d1 v=1", old="5/08:00 deploys d1 v=1")
    assert {5, 20} <= found


def test_a_fact_that_stays_reaches_nothing() -> None:
    assert touched("", "20/08:00 deploys d1 v=1", old="20/08:00 deploys d1 v=1") == set()


def test_nothing_after_today_is_touched_but_its_own_day() -> None:
    assert max(touched("", "50/08:00 deploys d1 v=1")) == 50
    assert max(touched("", "51/00:02 deploys d1 v=1")) == 51  # a clock that is a little ahead


def test_a_correction_reaches_old_and_new_deployment() -> None:
    log = MemoryLog(
        *read("""
        1/08:00 deploys d1 v=1
        10/08:00 deploys p1 v=1 of=pay
        20/08:00 deploys d2 v=2
        20/09:00 incident i1
    """)
    )
    (incident,) = log.all_incidents.values()
    keys = days_of_correction(log, incident, ["d1", "p1"], POLICY, TODAY)  # type: ignore[arg-type]
    assert {1, 20} <= numbers(keys)
    assert 10 in numbers(keys, "pay")


def test_what_was_said_before_is_reached_when_the_incident_changes() -> None:
    known = "1/08:00 deploys d1 v=1"
    log = MemoryLog(read(known)[0], [Correction("i1", "d1", "ann", at("31/00:00"))])
    ((incident,), _) = read("30/08:00 incident i1")
    keys = days_touched(log, [FactChange(None, incident)], POLICY, TODAY)  # type: ignore[arg-type]
    assert 1 in numbers(keys)
