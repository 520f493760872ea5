"""Failures, rework and recoveries of deployments, worked by hand. How lines are read: `telling`."""

import pytest

from tests.exporters.dora.reckoning.telling import judged, told

CASES = {
    "a rollback soon after makes the deployment a failed one": (
        """
        1/08:00 deploys d1 v=1
        2/08:00 deploys d2 v=2
        2/09:00 rolls-back d3 v=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 1:00
        d3: rework (rollback)
        """,
    ),
    "two days later it is rework, but the deployment had done its work": (
        """
        1/08:00 deploys d1 v=1
        2/08:00 deploys d2 v=2
        4/09:00 rolls-back d3 v=1
        """,
        """
        d1: fine
        d2: fine
        d3: rework (rollback)
        """,
    ),
    "an older revision is a rollback even if nobody says so": (
        """
        07:00 change c1 rev=r1 first=06:00
        08:30 change c2 rev=r2 first=08:00
        08:00 deploys d1 rev=r1
        09:00 deploys d2 rev=r2
        09:20 deploys d3 rev=r1
        """,
        """
        d1: c1 in 2:00
        d2: failed (rolled_back); recovered in 0:20; c2 in 1:00
        d3: rework (rollback)
        """,
    ),
    "so is a version that ran before": (
        """
        1/08:00 deploys d1 v=1
        3/09:00 deploys d2 v=2
        3/09:20 deploys d3 v=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 0:20
        d3: rework (rollback)
        """,
    ),
    "and forward again after a rollback is a deployment": (
        # d4 puts 2 there once more, after something outside was mended; nothing takes d3 back.
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        09:20 rolls-back d3 v=1
        11:00 deploys d4 v=2
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 0:20
        d3: rework (rollback)
        d4: fine
        """,
    ),
    "going back over several takes each of them from users": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        10:00 deploys d3 v=3
        10:30 rolls-back d4 v=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 1:30
        d3: failed (rolled_back); recovered in 0:30
        d4: rework (rollback)
        """,
    ),
    "a chain of rollbacks: the first did not help, so it failed, too": (
        # d4 takes d3 back; d5 takes back what d4 had put there again: d2 and d4. Users were well at 10:40.
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        10:00 deploys d3 v=3
        10:20 rolls-back d4 v=2
        10:40 rolls-back d5 v=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 1:40
        d3: failed (rolled_back); recovered in 0:40
        d4: failed (rolled_back); recovered in 0:20; rework (rollback)
        d5: rework (rollback)
        """,
    ),
    "a rollback that says what it undoes blames that alone": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        10:00 deploys d3 v=3
        10:30 rolls-back d4 v=2.1 undoes=2
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 1:30
        d3: fine
        d4: rework (rollback)
        """,
    ),
    "a rollback to something unknown takes back the last one": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        10:00 deploys d3 v=3
        10:30 rolls-back d4 v=0.9
        """,
        """
        d1: fine
        d2: fine
        d3: failed (rolled_back); recovered in 0:30
        d4: rework (rollback)
        """,
    ),
    "said twice, it takes back once": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        10:30 rolls-back d3 v=1
        10:31 rolls-back d4 v=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 1:30
        d3: rework (rollback)
        d4: rework (rollback)
        """,
    ),
    "a stopped roll-out failed until it was stopped": (
        """
        08:00 deploys d1 v=1
        09:30 deploys d2 v=2 started=09:00 failed
        """,
        """
        d1: fine
        d2: failed (rollout); recovered in 0:30
        """,
    ),
    "nobody knows how long, if nobody says when it began": (
        """
        09:30 deploys d2 v=2 failed
        """,
        """
        d2: failed (rollout); recovered in ?
        """,
    ),
    "its repetition is no rework": (
        """
        09:30 deploys d2 v=2 started=09:20 failed
        10:30 deploys d3 v=2
        """,
        """
        d2: failed (rollout); recovered in 0:10
        d3: fine
        """,
    ),
    "the version before, put back by hand after it, is": (
        """
        08:00 deploys d1 v=1
        09:30 deploys d2 v=2 started=09:20 failed
        10:00 deploys d3 v=1
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 0:30
        d3: rework (rollback)
        """,
    ),
    "but not days later: it had been undone": (
        """
        1/08:00 deploys d1 v=1
        1/09:30 deploys d2 v=2 started=1/09:20 failed
        5/10:00 deploys d3 v=1
        """,
        """
        d1: fine
        d2: failed (rollout); recovered in 0:10
        d3: fine
        """,
    ),
    "a hotfix within a day says that the deployment before failed": (
        """
        08:00 deploys d1 v=1
        10:00 deploys d2 v=1.1 unplanned
        """,
        """
        d1: failed (hotfixed); recovered in 2:00
        d2: rework (hotfix)
        """,
    ),
    "later it is unplanned work, and nothing failed": (
        """
        1/08:00 deploys d1 v=1
        3/10:00 deploys d2 v=1.1 unplanned
        """,
        """
        d1: fine
        d2: rework (hotfix)
        """,
    ),
    "a change that is marked as a hotfix makes its deployment one": (
        """
        07:00 change c1 rev=r1 first=06:00
        08:00 deploys d1 rev=r1
        08:30 change c2 rev=r2 first=08:20 hotfix
        09:00 deploys d2 rev=r2
        10:00 deploys d3 rev=r2
        """,
        """
        d1: failed (hotfixed); recovered in 1:00; c1 in 2:00
        d2: rework (hotfix); c2 in 0:40
        d3: fine
        """,
    ),
    "the third hotfix helped": (
        # h1 and h2 did not: each was followed by another. d1 was mended by h3, at 11:00.
        """
        08:00 deploys d1 v=1
        09:00 deploys h1 v=1.1 unplanned
        10:00 deploys h2 v=1.2 unplanned
        11:00 deploys h3 v=1.3 unplanned
        """,
        """
        d1: failed (hotfixed); recovered in 3:00
        h1: failed (hotfixed); recovered in 2:00; rework (hotfix)
        h2: failed (hotfixed); recovered in 1:00; rework (hotfix)
        h3: rework (hotfix)
        """,
    ),
    "a hotfix after a rollback mends nothing more: the rollback did": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        09:30 rolls-back d3 v=1
        11:00 deploys d4 v=2.1 unplanned
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 0:30
        d3: rework (rollback)
        d4: rework (hotfix)
        """,
    ),
    "a hotfix whose own roll-out failed mended nothing": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2 started=08:50 unplanned failed
        """,
        """
        d1: failed (hotfixed); open
        d2: failed (rollout); recovered in 0:10; rework (hotfix)
        """,
    ),
    "a hotfix may say what it mends": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        10:00 deploys d3 v=2.1 unplanned undoes=1
        """,
        """
        d1: failed (hotfixed); recovered in 2:00
        d2: fine
        d3: rework (hotfix)
        """,
    ),
    "what remedies an incident blames what that is held against, however old": (
        # i1 is nobody's: d1 was days ago. d2 is rework, and d1 did not fail.
        """
        1/08:00 deploys d1 v=1
        5/08:00 incident i1 until=5/09:00
        5/08:50 deploys d2 v=1.1 unplanned remedies=i1
        """,
        """
        d1: fine
        d2: rework (remedy)
        i1: nobody (none)
        """,
    ),
    "with an incident, users were well when it was resolved": (
        # Not at 9:00, when the hotfix came.
        """
        08:00 deploys d1 v=1
        08:20 incident i1 until=09:30
        09:00 deploys d2 v=1.1 remedies=i1
        """,
        """
        d1: failed (incident i1); recovered in 1:10
        d2: rework (remedy)
        i1: d1 (window)
        """,
    ),
    "a revert within a day takes back what failed": (
        # c2 came with d2; c3 reverts it. d2 failed, d3 is rework; d1 has no part in it.
        """
        07:00 change c1 rev=r1 first=06:00
        08:00 deploys d1 rev=r1
        08:30 change c2 rev=r2 first=08:00
        09:00 deploys d2 rev=r2
        10:00 change c3 rev=r3 first=09:50 reverts=c2
        10:30 deploys d3 rev=r3
        """,
        """
        d1: c1 in 2:00
        d2: failed (hotfixed); recovered in 1:30; c2 in 1:00
        d3: rework (revert); c3 in 0:40
        """,
    ),
    "one that names a revision means the change that made it, some deployments ago": (
        """
        07:00 change c1 rev=r1 first=06:00
        08:00 deploys d1 rev=r1
        08:30 change c2 rev=r2 first=08:00
        09:00 deploys d2 rev=r2
        09:10 change c3 rev=r3 first=09:00
        09:30 deploys d3 rev=r3
        10:00 change c4 rev=r4 first=09:50 reverts=r2
        10:30 deploys d4 rev=r4
        """,
        """
        d1: c1 in 2:00
        d2: failed (hotfixed); recovered in 1:30; c2 in 1:00
        d3: c3 in 0:30
        d4: rework (revert); c4 in 0:40
        """,
    ),
    "on the second day it is rework only if what it takes back had failed": (
        # 26 h after d2 and d2 had an incident.
        """
        1/07:00 change c1 rev=r1 first=1/06:00
        1/08:00 deploys d1 rev=r1
        1/08:30 change c2 rev=r2 first=1/08:00
        1/09:00 deploys d2 rev=r2
        1/09:30 incident i1 until=1/10:00
        2/10:00 change c3 rev=r3 first=2/09:50 reverts=c2
        2/11:00 deploys d3 rev=r3
        """,
        """
        d1: c1 in 2:00
        d2: failed (incident i1); recovered in 0:30; c2 in 1:00
        d3: rework (revert); c3 in 1:10
        i1: d2 (window)
        """,
    ),
    "and not if it had not": (
        """
        1/07:00 change c1 rev=r1 first=1/06:00
        1/08:00 deploys d1 rev=r1
        1/08:30 change c2 rev=r2 first=1/08:00
        1/09:00 deploys d2 rev=r2
        2/10:00 change c3 rev=r3 first=2/09:50 reverts=c2
        2/11:00 deploys d3 rev=r3
        """,
        """
        d1: c1 in 2:00
        d2: c2 in 1:00
        d3: c3 in 1:10
        """,
    ),
    "merged and reverted between two deployments, it never reached anybody": (
        """
        07:00 change c1 rev=r1 first=06:00
        08:00 deploys d1 rev=r1
        08:30 change c2 rev=r2 first=08:00
        08:40 change c3 rev=r3 first=08:35 reverts=c2
        09:00 deploys d2 rev=r3
        """,
        """
        d1: c1 in 2:00
        d2: c2 in 1:00; c3 in 0:25
        """,
    ),
    "a rollback that brings an incident of its own is a failed rollback": (
        """
        08:00 deploys d1 v=1
        09:00 deploys d2 v=2
        09:30 rolls-back d3 v=1
        10:00 incident i1 until=10:10
        """,
        """
        d1: fine
        d2: failed (rolled_back); recovered in 0:30
        d3: failed (incident i1); recovered in 0:10; rework (rollback)
        i1: d3 (window)
        """,
    ),
    "another environment is another matter": (
        """
        08:00 deploys d1 v=1
        09:00 deploys s1 v=2 in=staging
        09:10 rolls-back s2 v=1 in=staging
        """,
        """
        d1: fine
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_deployments_come_to(name: str) -> None:
    facts, expected = CASES[name]
    assert told(judged(facts)) == "\n".join(line.strip() for line in expected.strip().splitlines())


@pytest.mark.parametrize("name", CASES)
def test_in_whatever_order_facts_stand(name: str) -> None:
    facts, expected = CASES[name]
    lines = [line for line in facts.strip().splitlines() if line.strip()]
    assert told(judged("\n".join(reversed(lines)))) == "\n".join(line.strip() for line in expected.strip().splitlines())
