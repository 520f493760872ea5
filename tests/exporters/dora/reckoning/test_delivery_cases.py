"""Changes, the deployments that deliver them, and how long they took, worked by hand. How lines are read: `telling`."""

from datetime import timedelta

import pytest

from exporters.dora.model import Stage
from tests.exporters.dora.reckoning.telling import judged, told

CASES = {
    "a deployment delivers what was merged since the one before": (
        # c2: first commit 9:00 → deployed 14:00, 5:00. c3: 12:30 → 14:00, 1:30. c4 is merged after d2's revision.
        """
        08:00 change c1 rev=r1 first=07:00
        11:00 change c2 rev=r2 first=09:00
        13:00 change c3 rev=r3 first=12:30
        13:30 change c4 rev=r4 first=13:10
        10:00 deploys d1 rev=r1
        14:00 deploys d2 rev=r3
        """,
        """
        d1: c1 in 3:00
        d2: c2 in 5:00; c3 in 1:30
        """,
    ),
    "the first one known delivers its own change alone: nobody knows since when": (
        """
        1/08:00 change c1 rev=r1 first=1/07:00
        2/08:00 change c2 rev=r2 first=2/07:00
        2/10:00 deploys d1 rev=r2
        """,
        """
        d1: c2 in 3:00
        """,
    ),
    "deploying the same again delivers nothing": (
        """
        08:00 change c1 rev=r1 first=07:00
        10:00 deploys d1 rev=r1
        11:00 deploys d2 rev=r1
        """,
        """
        d1: c1 in 3:00
        d2: fine
        """,
    ),
    "going back delivers nothing, and going forward again not twice": (
        # d3 goes back to r1; d4 brings r3: c2 was there already (d2), so c3 alone is new.
        """
        1/08:00 change c1 rev=r1 first=1/07:00
        1/11:00 change c2 rev=r2 first=1/09:00
        2/08:00 change c3 rev=r3 first=2/07:30
        1/10:00 deploys d1 rev=r1
        1/12:00 deploys d2 rev=r2
        1/12:30 rolls-back d3 rev=r1
        2/09:00 deploys d4 rev=r3
        """,
        """
        d1: c1 in 3:00
        d2: failed (rolled_back); recovered in 0:30; c2 in 3:00
        d3: rework (rollback)
        d4: c3 in 1:30
        """,
    ),
    "a rollback of days ago is remembered": (
        """
        1/08:00 change c1 rev=r1 first=1/07:00
        1/11:00 change c2 rev=r2 first=1/09:00
        9/08:00 change c3 rev=r3 first=9/07:30
        1/10:00 deploys d1 rev=r1
        1/12:00 deploys d2 rev=r2
        1/12:30 rolls-back d3 rev=r1
        9/09:00 deploys d4 rev=r3
        """,
        """
        d1: c1 in 3:00
        d2: failed (rolled_back); recovered in 0:30; c2 in 3:00
        d3: rework (rollback)
        d4: c3 in 1:30
        """,
    ),
    "a roll-out that failed delivers nothing; its repetition does": (
        """
        08:00 change c1 rev=r1 first=07:00
        09:00 change c2 rev=r2 first=08:30
        08:30 deploys d1 rev=r1
        10:00 deploys d2 rev=r2 started=09:50 failed
        11:00 deploys d3 rev=r2
        """,
        """
        d1: c1 in 1:30
        d2: failed (rollout); recovered in 0:10
        d3: c2 in 2:30
        """,
    ),
    "changes of other services in the repository are not its": (
        """
        08:00 change c1 rev=r1 first=07:00
        09:00 change c2 rev=r2 first=08:00 touches=pay
        09:30 change c3 rev=r3 first=08:00 touches=pay,shop
        08:30 deploys d1 rev=r1
        10:00 deploys d2 rev=r3
        """,
        """
        d1: c1 in 1:30
        d2: c3 in 2:00
        """,
    ),
    "a pull request and the commit that it became are one change": (
        # The pull request knows the first commit, 7:00.
        """
        08:00 change repo#@r0 rev=r0
        08:10 deploys d0 rev=r0
        09:00 change repo#@r1 rev=r1 first=08:59
        09:00 change repo#12 rev=r1 first=07:00
        10:00 deploys d1 rev=r1
        """,
        """
        d0: repo#@r0 in ?
        d1: repo#12 in 3:00
        """,
    ),
    "an image leads to its change by what it was built from": (
        """
        08:00 change c1 rev=r1 first=07:00
        09:00 change c2 rev=r2 first=08:00
        00:00 artifact image@1 rev=r1
        00:00 artifact image@2 change=c2
        08:30 deploys d1 art=image@1
        10:00 deploys d2 art=image@2
        """,
        """
        d1: c1 in 1:30
        d2: c2 in 2:00
        """,
    ),
    "a deployment may name its changes, also one of which nothing is known": (
        """
        09:00 change c2 rev=r2 first=08:00
        10:00 deploys d1 names=c2,c9
        11:00 deploys d2 names=c2
        """,
        """
        d1: c2 in 2:00; c9 in ?
        d2: fine
        """,
    ),
    "a first commit after the merge is a clock's fault, no negative time": (
        """
        08:00 change c0 rev=r0
        08:10 deploys d0 rev=r0
        09:00 change c1 rev=r1 first=09:30
        10:00 deploys d1 rev=r1
        """,
        """
        d0: c0 in ?
        d1: c1 in ?
        """,
    ),
    "deployed before it was merged (from its branch), it has a lead time": (
        """
        09:00 change c0 rev=r0
        09:10 deploys d0 rev=r0
        12:00 change c1 rev=r1 first=09:00
        11:00 deploys d1 rev=r1
        """,
        """
        d0: c0 in ?
        d1: c1 in 2:00
        """,
    ),
    "a revert is a change like any other": (
        # A month later it is a change of mind, no failure.
        """
        1/08:00 change c1 rev=r1 first=1/07:00
        1/08:30 deploys d1 rev=r1
        30/08:00 change c2 rev=r2 first=30/07:00 reverts=c1
        30/09:00 deploys d2 rev=r2
        """,
        """
        d1: c1 in 1:30
        d2: c2 in 2:00
        """,
    ),
    "without any word of changes nothing is delivered": (
        """
        08:00 deploys d1 v=1
        """,
        """
        d1: fine
        """,
    ),
    "over the night in which clocks go forward hours are hours": (
        # Berlin, 29 March 2026 (day 28): 2:00 → 3:00. Times are UTC: 22:00 → 06:00 is 8 h on any clock.
        """
        27/20:00 change c0 rev=r0
        27/20:10 deploys d0 rev=r0
        27/23:00 change c1 rev=r1 first=27/22:00
        28/06:00 deploys d1 rev=r1
        """,
        """
        d0: c0 in ?
        d1: c1 in 8:00
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_changes_are_delivered(name: str) -> None:
    facts, expected = CASES[name]
    assert told(judged(facts)) == "\n".join(line.strip() for line in expected.strip().splitlines())


def test_stages_add_up_to_the_lead_time() -> None:
    found = judged("""
        07:00 change c0 rev=r0
        07:10 deploys d0 rev=r0
        11:00 change c1 rev=r1 first=08:00 opened=09:30
        14:00 deploys d1 rev=r1
    """)
    (change,) = found.deployments[1].changes
    assert change.stages == {
        Stage.CODING: timedelta(hours=1, minutes=30),
        Stage.REVIEW: timedelta(hours=1, minutes=30),
        Stage.DEPLOY: timedelta(hours=3),
    }
    assert sum(change.stages.values(), timedelta()) == change.lead_time == timedelta(hours=6)


def test_a_stage_that_would_be_negative_is_left_out() -> None:
    """Work was pushed by force: the first commit that is left is younger than the pull request."""
    found = judged("""
        07:00 change c0 rev=r0
        07:10 deploys d0 rev=r0
        11:00 change c1 rev=r1 first=09:00 opened=08:30
        14:00 deploys d1 rev=r1
    """)
    (change,) = found.deployments[1].changes
    assert change.lead_time == timedelta(hours=5)
    assert change.stages == {Stage.REVIEW: timedelta(hours=2, minutes=30), Stage.DEPLOY: timedelta(hours=3)}


def test_deployments_that_nobody_can_explain_are_known() -> None:
    found = judged("""
        08:00 change c1 rev=r1 first=07:00
        08:30 deploys d1 rev=r1
        09:00 deploys d2 rev=r1
        10:00 deploys d3 v=3
        11:00 deploys d4 v=4 failed
        12:00 rolls-back d5 v=3
    """)
    assert found.unexplained == {"d3"}  # d2 is d1 again; d4 brought nothing; d5 was no delivery
