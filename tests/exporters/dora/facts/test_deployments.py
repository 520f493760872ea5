"""A deployment from several statements about it."""

from datetime import datetime
from typing import Any

import pytest

from controlplane.model.delivery import DeliveryEvent, Deployment, DeploymentKind, DeploymentOutcome
from exporters.dora.facts.folding import fold
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.dora.facts.telling import AT, HASH, MINUTE, SHOP, deployed

POLICY = DeliveryPolicy(services={"checkout-svc": "checkout", "/apps/pay": "payments"})


def folded(*events: DeliveryEvent, policy: DeliveryPolicy = POLICY) -> Deployment:
    found = fold("deployment:/ci#d1", events, policy)
    assert isinstance(found, Deployment)
    return found


def test_one_event_is_a_deployment() -> None:
    said = deployed(
        artifact="pkg:oci/shop@sha256%3A24?tag=1.4.2", repository="git@github.com:acme/shop.git", revision=HASH.upper(),
        changes=["7", "#8", HASH, f"{SHOP}#9"], undoes="d0", remedies="INC-7", unplanned=True, run="r1",
        url="https://ci/1", startedAt="2026-11-30T12:50:00+01:00",
    )  # fmt: skip
    assert folded(said) == Deployment(
        id="/ci#d1", service="checkout", environment="production", at=AT, kind=DeploymentKind.DEPLOYED,
        started_at=AT - 10 * MINUTE, version="1.4.2", artifacts=("pkg:oci/shop@sha256%3A24?tag=1.4.2",),
        repository=SHOP, revision=HASH, changes=(f"{SHOP}#7", f"{SHOP}#8", f"{SHOP}#@{HASH}", f"{SHOP}#9"),
        undoes="d0", remedies="INC-7", is_unplanned=True, run="r1", url="https://ci/1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kind", "outcome", "minutes"),
    [
        ("deployed@1 deployed@3", DeploymentKind.DEPLOYED, DeploymentOutcome.SUCCEEDED, 1),
        ("deployed@1 upgraded@3", DeploymentKind.UPGRADED, DeploymentOutcome.SUCCEEDED, 1),
        ("deployed:failed@1 deployed@3 deployed@5", DeploymentKind.DEPLOYED, DeploymentOutcome.SUCCEEDED, 3),
        ("deployed@1 deployed:failed@3", DeploymentKind.DEPLOYED, DeploymentOutcome.FAILED, 1),
        ("deployed@1 rolledback@3", DeploymentKind.DEPLOYED, DeploymentOutcome.FAILED, 1),
        ("rolledback@1 rolledback@2", DeploymentKind.ROLLED_BACK, DeploymentOutcome.SUCCEEDED, 1),
        ("rolledback:failed@1", DeploymentKind.ROLLED_BACK, DeploymentOutcome.FAILED, 1),
        ("removed@1 removed@2", DeploymentKind.REMOVED, DeploymentOutcome.SUCCEEDED, 1),
        ("deployed@1 removed@9", DeploymentKind.DEPLOYED, DeploymentOutcome.SUCCEEDED, 1),
        ("deployed:nonsense@1", DeploymentKind.DEPLOYED, DeploymentOutcome.SUCCEEDED, 1),
    ],
)
def test_several_statuses_are_one_deployment(
    said: str, kind: DeploymentKind, outcome: DeploymentOutcome, minutes: int
) -> None:
    events = []
    for word in said.split():
        what, _, at = word.partition("@")
        predicate, _, ended = what.partition(":")
        events.append(deployed(predicate=predicate, minutes=int(at), outcome=ended))
    found = folded(*events)
    assert (found.kind, found.outcome, found.at) == (kind, outcome, AT + minutes * MINUTE)


def test_a_roll_back_that_names_what_it_undoes_stays_one_beside_an_upgrade() -> None:
    found = folded(deployed(predicate="rolledback", undoes="1.4.2"), deployed(predicate="upgraded", minutes=1))
    assert (found.kind, found.outcome) == (DeploymentKind.ROLLED_BACK, DeploymentOutcome.SUCCEEDED)


def test_the_last_word_counts_and_what_is_left_out_later_is_kept() -> None:
    found = folded(
        deployed(version="1.4.1", run="r1", unplanned=True),
        deployed(minutes=1, version="1.4.2", unplanned=False, environment="Staging"),
        deployed(minutes=2, version="", environment="PROD"),
    )
    assert (found.version, found.run, found.is_unplanned, found.environment) == ("1.4.2", "r1", False, "production")


@pytest.mark.parametrize(
    ("service", "environment", "names"),
    [
        ("checkout-svc", "prod", ("checkout", "production")),
        ("/apps/checkout-svc/", "/clusters/eu/Live", ("checkout", "production")),
        ("/apps/pay", "Staging", ("payments", "staging")),
        ("/apps/search", "eu/west", ("search", "eu/west")),
        ("shop/cart", "production", ("shop/cart", "production")),
    ],
)
def test_names_are_ours(service: str, environment: str, names: tuple[str, str]) -> None:
    found = folded(deployed(service=service, environment=environment))
    assert (found.service, found.environment) == names


def test_repository_and_revision_come_from_the_artifact_where_nothing_else_says() -> None:
    found = folded(deployed(artifact=f"pkg:github/acme/shop@{HASH}"))
    assert (found.repository, found.revision, found.version) == (SHOP, HASH, "")
    told = folded(
        deployed(artifact=f"pkg:github/acme/shop@{HASH}", repository="github.com/acme/charts", revision="abc1234")
    )
    assert (told.repository, told.revision) == ("github.com/acme/charts", "abc1234")
    half = folded(deployed(artifact=f"pkg:github/acme/shop@{HASH}", revision="abc1234"))
    assert (half.repository, half.revision) == (SHOP, "abc1234")


@pytest.mark.parametrize(
    "said", [{"service": ""}, {"environment": None}, {"service": 7}, {"service": "x" * 257}, {"service": "ü" * 129}]
)
def test_without_a_service_or_an_environment_there_is_none(said: dict[str, Any]) -> None:
    assert fold("deployment:/ci#d1", [deployed(**said)], POLICY) is None


def test_it_does_not_begin_after_its_end() -> None:
    assert folded(deployed(startedAt=(AT + MINUTE).isoformat())).started_at is None
    begins = [
        (AT - 5 * MINUTE).isoformat(),
        (AT - 9 * MINUTE).isoformat(),
        "2026-11-30T11:00:00",
        "1970-01-01T00:00:00Z",
    ]
    found = folded(*(deployed(minutes=n, startedAt=text) for n, text in enumerate(begins)))
    assert found.started_at == AT - 9 * MINUTE


def test_a_label_or_a_branch_of_the_policy_makes_it_unplanned() -> None:
    assert folded(deployed(labels=["bug", "HotFix"])).is_unplanned
    assert folded(deployed(branch="refs/heads/hotfix/tax")).is_unplanned
    assert not folded(deployed(branch="feature/hotfix", labels=["bug"])).is_unplanned
    assert not folded(deployed(branch="hotfix/tax", unplanned=False)).is_unplanned


@pytest.mark.parametrize("value", [None, 7, True, [], {}, [["x"]], "\x00", "\ud800", "x" * 5000])
def test_values_of_wrong_types_are_as_if_absent(value: object) -> None:
    fields = (
        "version",
        "repository",
        "revision",
        "changes",
        "undoes",
        "remedies",
        "run",
        "url",
        "startedAt",
        "outcome",
        "labels",
        "branch",
    )
    whole = folded(deployed())
    own: dict[str, Any] = dict.fromkeys(fields, value)
    assert folded(deployed(artifact=value, **own)) == whole
    assert folded(deployed(unplanned=value)).is_unplanned is (value is True)


def test_lists_and_addresses_are_bounded() -> None:
    found = folded(deployed(changes=[f"c{n}" for n in range(3000)], url="javascript:alert(1)"))
    assert len(found.changes) == 2000
    assert found.url == ""
    many = folded(*(deployed(minutes=n, artifact=f"pkg:oci/a@{n:03}") for n in range(30)))
    assert many.artifacts == tuple(f"pkg:oci/a@{n:03}" for n in range(10, 30))


def test_times_are_utc() -> None:
    east = deployed()
    assert folded(east).at.tzinfo is not None
    assert isinstance(folded(east).at, datetime)
