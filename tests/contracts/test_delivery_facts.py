"""The store of what follows from delivery events, on both databases."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from controlplane.model.delivery import (
    Artifact,
    Change,
    Correction,
    DeliveryIncident,
    Deployment,
    DeploymentKind,
    DeploymentOutcome,
    SheetKey,
)
from controlplane.store import SqlStore
from tests.contracts.delivering import NOON, broke, deployed, happened, merged

HOUR = timedelta(hours=1)
DAY = NOON.date()


def put(store: SqlStore, *facts: Deployment | Change | Artifact | DeliveryIncident) -> None:
    with store.transaction() as transaction:
        delivery = transaction.delivery
        delivery.put_deployments([each for each in facts if isinstance(each, Deployment)])
        delivery.put_changes([each for each in facts if isinstance(each, Change)])
        delivery.put_artifacts([each for each in facts if isinstance(each, Artifact)])
        delivery.put_incidents([each for each in facts if isinstance(each, DeliveryIncident)])


def test_facts_are_kept_as_they_are_and_the_last_of_an_id_counts(store: SqlStore) -> None:
    full = Deployment(
        "/cd#1", "shop", "production", NOON, DeploymentKind.ROLLED_BACK, DeploymentOutcome.FAILED, NOON - HOUR, "v2",
        ("pkg:oci/a@1", "pkg:oci/b@2"), "git.example/shop", "cafe", ("git.example/shop#1", "ü"), "v1", "INC", True,
        "run", "https://cd", "4bf92f3577b34da6a3ce929d0e0e4736",
    )  # fmt: skip
    change = Change(
        "git.example/shop#1", "git.example/shop", NOON, "cafe", NOON - HOUR, NOON - HOUR / 2, NOON - HOUR / 4,
        ("shop", "till"), "#0", True, "INC", "A tïtle", "https://git",
    )  # fmt: skip
    incident = DeliveryIncident(
        "/flyball/incidents#1", "shop", "", NOON, NOON + HOUR, "/cd#1", "INC-1", "It burns", "P1", "https://x", False
    )
    artifact = Artifact("pkg:oci/a@1", "git.example/shop#1", "git.example/shop", "cafe")
    bare = (deployed("/cd#2"), merged("bare"), broke("bare"), Artifact("bare"))
    put(store, deployed("/cd#1"), full, change, artifact, incident, *bare)
    with store.transaction(read_only=True) as transaction:
        delivery = transaction.delivery
        assert delivery.deployments(["/cd#1", "/cd#2", "/cd#3"]) == {"/cd#1": full, "/cd#2": bare[0]}
        assert delivery.changes([change.id, "bare", "bare"]) == {change.id: change, "bare": bare[1]}
        assert delivery.delivery_incidents([incident.id, "bare"]) == {incident.id: incident, "bare": bare[2]}
        assert delivery.artifacts([artifact.id, "bare", ""]) == {artifact.id: artifact, "bare": bare[3]}
    put(store, replace(full, started_at=None, at=NOON + HOUR), replace(incident, resolved_at=None))
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.deployments(["/cd#1"])["/cd#1"] == replace(full, started_at=None, at=NOON + HOUR)
        assert transaction.delivery.delivery_incidents([incident.id])[incident.id].resolved_at is None


def test_deployments_are_found_by_when_they_finished(store: SqlStore) -> None:
    put(
        store,
        deployed("b", hours=1), deployed("a", hours=1), deployed("c", hours=0), deployed("d", hours=2),
        deployed("e", hours=1, service="till"), deployed("f", hours=1, environment="staging"),
    )  # fmt: skip
    with store.transaction(read_only=True) as transaction:
        delivery = transaction.delivery

        def between(service: str = "", environment: str = "") -> str:
            found = delivery.deployments_between(NOON, NOON + 2 * HOUR, service=service, environment=environment)
            return "".join(each.id for each in found)

        assert between() == "cabef"
        assert between(service="shop") == "cabf"
        assert between(environment="production") == "cabe"
        assert between(service="shop", environment="staging") == "f"
        latest = delivery.deployments_between(NOON, NOON + 2 * HOUR, limit=2)
        assert [each.id for each in latest] == ["e", "f"]
        before = delivery.last_deployments_before("shop", "production", NOON + 2 * HOUR, 2)
        assert [each.id for each in before] == ["a", "b"]
        assert delivery.last_deployments_before("shop", "production", NOON, 2) == []
        after = delivery.first_deployments_after("shop", "production", NOON, 2)
        assert [each.id for each in after] == ["a", "b"]
        assert delivery.first_deployments_after("shop", "production", NOON + 2 * HOUR, 2) == []


def test_changes_are_found_by_revision_and_by_when_they_were_merged(store: SqlStore) -> None:
    first, twin = merged("#2", revision="cafe"), merged("#1", hours=1, revision="cafe")
    other = merged("x", hours=2, repository="git.example/till", revision="cafe")
    put(store, first, twin, other, merged("#3", hours=1), merged("#4", hours=3))
    with store.transaction(read_only=True) as transaction:
        delivery = transaction.delivery
        wanted = [("git.example/shop", "cafe"), ("git.example/till", "cafe"), ("git.example/shop", "beef")]
        assert delivery.changes_of_revisions([*wanted, ("git.example/shop", "")]) == {
            wanted[0]: first,
            wanted[1]: other,
        }
        merged_ids = [each.id for each in delivery.changes_merged("git.example/shop", NOON, NOON + 3 * HOUR)]
        assert merged_ids == ["#1", "#3", "#4"]
        latest = delivery.changes_merged("git.example/shop", NOON - HOUR, NOON + 3 * HOUR, 2)
        assert [each.id for each in latest] == ["#3", "#4"]


def test_deployments_that_wait_for_a_change_are_found_as_long_as_they_do(store: SqlStore) -> None:
    two = replace(deployed("1", hours=11.9), artifacts=("pkg:a", "pkg:b"), changes=("#1", "#2"))
    by_revision = replace(deployed("2", hours=36), repository="git.example/shop", revision="cafe")
    unsaid = replace(deployed("3", hours=72), repository="git.example/shop")
    put(store, two, by_revision, unsaid, replace(deployed("4", hours=11, service="till"), artifacts=("pkg:b",)))
    with store.transaction(read_only=True) as transaction:
        delivery = transaction.delivery
        shop, till = SheetKey("shop", "production", DAY), SheetKey("till", "production", DAY)
        later = SheetKey("shop", "production", DAY + timedelta(days=2))
        assert delivery.deployments_awaiting(artifacts=["pkg:b"]) == [shop, till]
        assert delivery.deployments_awaiting(artifacts=["pkg:a", "pkg:c"]) == [shop]
        assert delivery.deployments_awaiting(repositories=["git.example/shop", ""]) == [later]
        assert delivery.deployments_awaiting(artifacts=["pkg:a"], repositories=["git.example/shop"]) == [shop, later]
        assert delivery.deployments_awaiting(changes=["#2"]) == [shop]
        assert delivery.deployments_awaiting(changes=["#3"]) == delivery.deployments_awaiting() == []
        since = later.day
        assert delivery.deployments_awaiting(artifacts=["pkg:a"], since=since) == []
        assert delivery.deployments_awaiting(repositories=["git.example/shop"], since=since) == [later]
        assert delivery.deployments_awaiting(repositories=["git.example/shop"], since=since + timedelta(days=1)) == []
    built = Artifact("pkg:c", repository="git.example/shop")
    put(store, replace(two, artifacts=("pkg:a", "pkg:c"), changes=("#3",)), built)
    with store.transaction() as transaction:
        delivery = transaction.delivery
        assert delivery.deployments_awaiting(artifacts=["pkg:b"]) == [till]
        assert delivery.deployments_awaiting(artifacts=["pkg:c"]) == [shop]
        assert delivery.deployments_awaiting(changes=["#2"]) == []
        assert delivery.deployments_awaiting(changes=["#3"]) == [shop]
        assert delivery.deployments_awaiting(repositories=["git.example/shop"]) == [shop, later]
        delivery.drop_facts(["deployment:1"])
        assert delivery.deployments_awaiting(artifacts=["pkg:a", "pkg:c"], changes=["#3"]) == []
        assert delivery.deployments_awaiting(repositories=["git.example/shop"]) == [later]


def test_incidents_are_found_while_they_go_on(store: SqlStore) -> None:
    put(
        store,
        broke("a", hours=-3, lasts=2), broke("b", hours=-3, lasts=3), broke("c", hours=-3, lasts=3.5),
        broke("d", hours=-9), broke("e", hours=0, lasts=0), broke("f", hours=0.5), broke("g", hours=1),
        broke("h", hours=-3, lasts=9, service="till"),
    )  # fmt: skip
    with store.transaction(read_only=True) as transaction:
        delivery = transaction.delivery
        assert "".join(each.id for each in delivery.incidents_between(NOON, NOON + HOUR)) == "dchef"
        assert [each.id for each in delivery.incidents_between(NOON, NOON + HOUR, service="till")] == ["h"]
        assert delivery.incidents_between(NOON, NOON + HOUR, environment="staging") == []


def test_incidents_are_found_by_the_deployment_that_they_or_their_last_corrections_name(store: SqlStore) -> None:
    put(
        store,
        replace(broke("a", hours=2), deployment="v1"), replace(broke("b", hours=1), deployment="v2"), broke("c"),
        broke("d"), broke("e"),
    )  # fmt: skip
    with store.transaction() as transaction:
        delivery = transaction.delivery
        for incident, deployment, is_withdrawn in (
            ("c", "v1", False), ("d", "v1", False), ("d", "v3", False), ("e", "v1", False), ("e", "v1", True),
        ):  # fmt: skip
            delivery.put_correction(Correction(incident, deployment, "ann", NOON, is_withdrawn=is_withdrawn))
        assert [each.id for each in delivery.incidents_naming(["v1", "v1", "cafe"])] == ["c", "a"]
        assert [each.id for each in delivery.incidents_naming(["v2", "v3"])] == ["d", "b"]
        assert delivery.incidents_naming([""]) == delivery.incidents_naming([]) == []


def test_dropped_facts_are_gone_and_their_services_stay_known(store: SqlStore) -> None:
    put(store, deployed("1"), deployed("2", service="till", environment="staging"), merged("1"), Artifact("1"))
    put(store, broke("1", service="bank"))
    with store.transaction() as transaction:
        delivery = transaction.delivery
        delivery.drop_facts(["deployment:1", "change:1", "artifact:1", "incident:1", "incident:none"])
        found = (delivery.deployments, delivery.changes, delivery.artifacts, delivery.delivery_incidents)
        assert [read(["1"]) for read in found] == [{}] * 4
        assert list(delivery.deployments(["2"])) == ["2"]
        assert delivery.services() == [("bank", "production"), ("shop", "production"), ("till", "staging")]
        with pytest.raises(ValueError, match="no"):
            delivery.drop_facts(["no:1"])


def test_the_last_word_about_an_incident_counts_and_the_earlier_ones_stay(store: SqlStore) -> None:
    first = Correction("INC", "/cd#1", "ann", NOON, "it was the cache")
    second = Correction("INC", "", "bob", NOON - HOUR, is_withdrawn=True)
    other = Correction("other", "", "ann", NOON)
    with store.transaction() as transaction:
        for each in (first, other, second):
            transaction.delivery.put_correction(each)
        assert transaction.delivery.corrections(["INC", "other", "none"]) == {"INC": second, "other": other}
        assert transaction.delivery.correction_history("INC") == [first, second]


def test_facts_with_times_or_texts_that_cannot_be_kept_are_refused(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="zone"):
        put(store, replace(deployed("1"), at=NOON.replace(tzinfo=None)))
    with pytest.raises(ValueError, match="cannot be stored"):
        put(store, replace(merged("1"), services=("a\x00",)))
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.services() == []


def test_a_day_is_one_of_utc(store: SqlStore) -> None:
    put(
        store, replace(deployed("1", hours=12), artifacts=("a",)), replace(deployed("2", hours=11.99), artifacts=("b",))
    )
    with store.transaction(read_only=True) as transaction:
        assert [each.day for each in transaction.delivery.deployments_awaiting(artifacts=["a"])] == [date(2026, 11, 21)]
        assert [each.day for each in transaction.delivery.deployments_awaiting(artifacts=["b"])] == [date(2026, 11, 20)]


def test_the_longest_names_fit_into_every_index(store: SqlStore) -> None:
    """PostgreSQL refuses rows of an index beyond 2,704 bytes, after it tried to pack them."""
    chance = random.Random(1)

    def name(length: int) -> str:
        return f"{chance.getrandbits(length * 4):0{length}x}"

    deployment, artifact, change = name(1980), name(1980), name(1980)
    service, environment, repository, revision = name(256), name(256), name(1024), name(1024)
    full = Deployment(
        deployment, service, environment, NOON, DeploymentKind.DEPLOYED, artifacts=(artifact,), changes=(change,),
        repository=repository, revision=revision,
    )  # fmt: skip
    incident = DeliveryIncident(name(1980), service, environment, NOON, deployment=name(1024))
    put(store, full, Change(change, repository, NOON, revision), Artifact(artifact, change, repository), incident)
    with store.transaction() as transaction:
        delivery = transaction.delivery
        key = SheetKey(service, environment, NOON.date())
        assert delivery.deployments_awaiting(artifacts=[artifact]) == [key]
        assert delivery.deployments_awaiting(changes=[change]) == [key]
        assert list(delivery.changes_of_revisions([(repository, revision)])) == [(repository, revision)]
        assert delivery.incidents_naming([incident.deployment]) == [incident]
        delivery.put_correction(Correction(incident.id, deployment, "ann", NOON))
        assert delivery.incidents_naming([deployment]) == [incident]
        event = replace(happened(name(256), entity=f"deployment:{deployment}"), source=name(512), subject=name(256))
        delivery.take([replace(event, type=name(256), sender=name(256))], NOON)
        assert len(delivery.events_of([event.entity])[event.entity]) == 1
