"""Incidents and the deployments that they are held against, worked by hand. How lines are read: `telling`."""

import pytest

from exporters.dora.reckoning.judging import Reckoning
from tests.exporters.dora.reckoning.telling import judged, told

CASES = {
    "an incident within the window is held against the last deployment before it": (
        """
        08:00 deploys d1 v=1
        10:00 deploys d2 v=2
        11:30 incident i1 until=12:00      # 1:30 after d2, 3:30 after d1, both within 4 h
        """,
        """
        d1: fine
        d2: failed (incident i1); recovered in 0:30
        i1: d2 (window)
        """,
    ),
    "DevLake counts it against each deployment of the window (devlake#4989); here at most one fails": (
        """
        08:00 deploys d1 v=1
        08:20 deploys d2 v=2
        08:40 deploys d3 v=3
        09:00 incident i1 until=09:10
        """,
        """
        d1: fine
        d2: fine
        d3: failed (incident i1); recovered in 0:10
        i1: d3 (window)
        """,
    ),
    "several incidents of one deployment make one failure (devlake#8890: rates above 100 %)": (
        """
        08:00 deploys d1 v=1
        08:30 incident i1 until=09:00      # 8:30–9:00 and 8:45–9:15: users waited 0:45, not 0:30 + 0:30
        08:45 incident i2 until=09:15
        """,
        """
        d1: failed (incident i1,i2); recovered in 0:45
        i1: d1 (window)
        i2: d1 (window)
        """,
    ),
    "two outages of one deployment days apart add up, and the time between is no outage": (
        """
        08:00 deploys d1 v=1
        08:10 incident i1 until=08:30                 # 0:20
        4/10:00 incident i2 until=4/10:15 names=1     # 0:15
        """,
        """
        d1: failed (incident i1,i2); recovered in 0:35
        i1: d1 (window)
        i2: d1 (linked)
        """,
    ),
    "an incident later than the window is nobody's": (
        """
        08:00 deploys d1 v=1
        12:01 incident i1 until=13:00      # 4:01 after
        """,
        """
        d1: fine
        i1: nobody (none)
        """,
    ),
    "the window's end is within": (
        """
        08:00 deploys d1 v=1
        12:00 incident i1 until=13:00
        """,
        """
        d1: failed (incident i1); recovered in 1:00
        i1: d1 (window)
        """,
    ),
    "at the very instant of a deployment it is that one's": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        09:00 incident i1 until=09:05
        """,
        """
        d1: fine
        d2: failed (incident i1); recovered in 0:05
        i1: d2 (window)
        """,
    ),
    "of two deployments at one instant the one with the larger id": (
        """
        09:00 deploys d1 v=1
        09:00 deploys d2 v=2
        09:30 incident i1 until=09:45
        """,
        """
        d1: fine
        d2: failed (incident i1); recovered in 0:15
        i1: d2 (window)
        """,
    ),
    "an incident that began before the deployment is not its": (
        """
        07:00 deploys d1 v=1
        08:50 incident i1 until=09:30
        09:00 deploys d2 v=2
        """,
        """
        d1: failed (incident i1); recovered in 0:40
        d2: fine
        i1: d1 (window)
        """,
    ),
    "unless its roll-out had begun: a canary hurts before it is finished": (
        """
        07:00 deploys d1 v=1
        08:50 incident i1 until=09:30
        09:00 deploys d2 v=2 started=08:45
        """,
        """
        d1: fine
        d2: failed (incident i1); recovered in 0:40
        i1: d2 (window)
        """,
    ),
    "a roll-out that claims to have taken a week is not believed": (
        """
        1/07:00 deploys d1 v=1
        7/08:50 incident i1 until=7/09:30
        8/07:00 deploys d2 v=2 started=1/08:00
        """,
        """
        d1: fine
        d2: fine
        i1: nobody (none)
        """,
    ),
    "what was taken back while it went on outweighs the last deployment before": (
        # d3 is another change that happened to be last; going back from both to d1 ends the incident. Of the two that
        # were taken back, the last before the incident began.
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        09:10 incident i1 until=09:40
        09:20 deploys d3 v=3
        09:30 rolls-back d4 v=1
        """,
        """
        d1: fine
        d2: failed (incident i1); recovered in 0:30
        d3: failed (rolled_back); recovered in 0:10
        d4: rework (rollback)
        i1: d2 (rolled_back)
        """,
    ),
    "hours after the window, a rollback still tells": (
        # 7 h after d2; the window alone (4 h) would say nobody.
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        16:00 incident i1 until=16:40
        16:30 rolls-back d3 v=1
        """,
        """
        d1: fine
        d2: failed (incident i1); recovered in 0:40
        d3: rework (rollback)
        i1: d2 (rolled_back)
        """,
    ),
    "a rollback after it was over tells nothing": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        16:00 incident i1 until=16:10
        16:30 rolls-back d3 v=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 7:30
        d3: rework (rollback)
        i1: nobody (none)
        """,
    ),
    "an incident that names a version means the last deployment of it before": (
        """
        07:00 deploys d1 v=1
        08:00 deploys d2 v=2
        08:30 deploys d3 v=1
        09:00 deploys d4 v=3
        09:30 incident i1 until=10:00 names=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 0:30
        d3: failed (incident i1); recovered in 0:30; rework (rollback)
        d4: fine
        i1: d3 (linked)
        """,
    ),
    "it may name a deployment of weeks ago: a fault that slept": (
        """
        1/08:00 deploys d1 v=1
        20/08:00 deploys d2 v=2
        30/09:30 incident i1 until=30/10:00 names=d1
        """,
        """
        d1: failed (incident i1); recovered in 0:30
        d2: fine
        i1: d1 (linked)
        """,
    ),
    "a name that means nothing is passed over": (
        """
        08:00 deploys d1 v=1
        08:30 incident i1 until=09:00 names=9.9
        """,
        """
        d1: failed (incident i1); recovered in 0:30
        i1: d1 (window)
        """,
    ),
    "a rollback that names the incident which it ends links what it takes back": (
        # The incident is over before the rollback is finished, so going on says nothing, but the rollback does.
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        16:00 incident i1 until=16:10
        16:30 rolls-back d3 v=1 remedies=i1
        """,
        """
        d1: fine
        d2: failed (incident i1); recovered in 0:10
        d3: rework (rollback)
        i1: d2 (linked)
        """,
    ),
    "a person's word outweighs everything": (
        """
        07:00 deploys d1 v=1
        08:00 deploys d2 v=2
        08:30 incident i1 until=09:00 names=d2
        12:00 correction i1 to=d1
        """,
        """
        d1: failed (incident i1); recovered in 0:30
        d2: fine
        i1: d1 (corrected)
        """,
    ),
    "also that no deployment is to blame": (
        """
        08:00 deploys d2 v=2
        08:30 incident i1 until=09:00
        12:00 correction i1 none
        """,
        """
        d2: fine
        i1: nobody (corrected)
        """,
    ),
    "a word that is taken back holds no longer": (
        """
        08:00 deploys d2 v=2
        08:30 incident i1 until=09:00
        12:00 correction i1 none
        13:00 correction i1 withdrawn
        """,
        """
        d2: failed (incident i1); recovered in 0:30
        i1: d2 (window)
        """,
    ),
    "an incident over several deployments is one deployment's": (
        # 8:30–12:00. d2 and d3 came while it went on; d1 was before.
        """
        08:00 deploys d1 v=1
        08:30 incident i1 until=12:00
        09:00 deploys d2 v=2
        10:00 deploys d3 v=3
        """,
        """
        d1: failed (incident i1); recovered in 3:30
        d2: fine
        d3: fine
        i1: d1 (window)
        """,
    ),
    "while it goes on the failure is open": (
        """
        08:00 deploys d1 v=1
        08:30 incident i1
        """,
        """
        d1: failed (incident i1); open
        i1: d1 (window)
        """,
    ),
    "a drill counts for nothing": (
        """
        08:00 deploys d1 v=1
        08:30 incident i1 until=09:00 drill
        """,
        """
        d1: fine
        """,
    ),
    "an incident that ended before it began tells no duration, and is over": (
        """
        08:00 deploys d1 v=1
        08:30 incident i1 until=08:10
        """,
        """
        d1: failed (incident i1); recovered in ?
        i1: d1 (window)
        """,
    ),
    "a removal is no deployment": (
        """
        08:00 deploys d1 v=1
        08:20 removes d2
        08:30 incident i1 until=09:00
        """,
        """
        d1: failed (incident i1); recovered in 0:30
        i1: d1 (window)
        """,
    ),
    "recovery is not counted from before the deployment": (
        # A person blames d2 for an incident that was noticed before: users of d2 waited from 9:00 to 9:30.
        """
        08:50 incident i1 until=09:30
        09:00 deploys d2 v=2
        12:00 correction i1 to=d2
        """,
        """
        d2: failed (incident i1); recovered in 0:30
        i1: d2 (corrected)
        """,
    ),
    "over midnight": (
        """
        1/23:50 deploys d1 v=1
        2/00:10 incident i1 until=2/00:20
        """,
        """
        d1: failed (incident i1); recovered in 0:10
        i1: d1 (window)
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_incidents_are_held_against(name: str) -> None:
    facts, expected = CASES[name]
    assert told(judged(facts)) == _lines(expected)


OTHER_SERVICE = """
    08:00 deploys d1 v=1
    08:10 deploys p1 v=7 of=pay
    08:30 incident i1 until=09:00
    12:00 correction i1 to=p1
"""


def test_a_correction_may_name_another_services_deployment() -> None:
    shop, pay = judged(OTHER_SERVICE), judged(OTHER_SERVICE, service="pay")
    assert told(shop) == "d1: fine\ni1: p1 (corrected)"
    assert told(pay) == "p1: failed (incident i1); recovered in 0:30"


def test_and_so_may_the_incident_itself() -> None:
    facts = """
        08:00 deploys d1 v=1
        08:10 deploys p1 v=7 of=pay
        2/08:30 incident i1 until=2/09:00 names=p1
    """
    assert told(judged(facts)) == "d1: fine\ni1: p1 (linked)"
    assert told(judged(facts, service="pay")) == "p1: failed (incident i1); recovered in 0:30"


def test_two_services_deployed_by_one_run_are_judged_each_for_itself() -> None:
    facts = """
        08:00 deploys d1 v=1 run=r
        08:00 deploys p1 v=1 run=r of=pay
        08:30 incident i1 until=09:00
    """
    assert told(judged(facts)) == "d1: failed (incident i1); recovered in 0:30\ni1: d1 (window)"
    assert told(judged(facts, service="pay")) == "p1: fine"


def test_the_reason_is_said_in_words() -> None:
    found = judged("08:00 deploys d1 v=1.4\n08:30 incident i1 until=09:00")
    assert _texts(found) == ["1.4 was the last deployment before it, 30 min earlier"]
    assert found.deployments[0].why == "held against it: i1"


def _texts(found: Reckoning) -> list[str]:
    return [one.text for one in found.attributions]


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
