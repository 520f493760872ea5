"""Notifications of Argo CD and Argo Rollouts, and Flagger's event webhooks."""

import pytest

from exporters.cloudevents.faults import Malformed
from exporters.events.translating.images import image_for, image_of
from tests.exporters.events.translating.payloads import (
    ARGOCD,
    FLAGGER,
    ROLLOUT,
    SHA,
    changed,
    content,
    own,
    short,
    taken,
    told,
)


def test_a_synchronised_application_is_a_deployment() -> None:
    [event] = told("argocd", ARGOCD)
    assert (short(event), event["subject"], event["time"]) == ("service.deployed", "checkout", "2026-11-20T11:00:40Z")
    assert event["source"] == "/argocd/argocd/checkout-prod"
    assert content(event)["artifactId"] == "pkg:oci/checkout?repository_url=ghcr.io/acme/checkout&tag=2.14.0"
    assert own(event) == {
        "deployment": "1fb0c9a1-7d25-4c1c-9b68-9d1b5a2f2a10/41", "version": "2.14.0", "outcome": "succeeded",
        "repository": "github.com/acme/deploy", "revision": SHA, "startedAt": "2026-11-20T11:00:00Z",
        "url": "https://argocd.example.com/applications/checkout-prod",
    }  # fmt: skip


def test_the_annotated_repository_goes_before_that_of_the_manifests() -> None:
    payload = ARGOCD | {
        "repository": "git@github.com:acme/shop.git",
        "images": [f"ghcr.io/acme/checkout:sha-{SHA[:12]}"],
    }
    [event] = told("argocd", payload)
    assert (own(event)["repository"], own(event)["revision"]) == ("github.com/acme/shop", SHA[:12])
    [event] = told("argocd", payload | {"revision": SHA, "version": "2.14.0"})
    assert (own(event)["revision"], own(event)["version"]) == (SHA, "2.14.0")


def test_without_an_image_that_is_its_own_the_artifact_is_the_source() -> None:
    [event] = told("argocd", ARGOCD | {"images": ["a/b:1", "c/d:2"]})
    assert content(event)["artifactId"] == f"pkg:github/acme/deploy@{SHA}"
    [event] = told("argocd", ARGOCD | {"images": [], "manifests": {}})
    assert content(event)["artifactId"] == "pkg:generic/checkout@unknown"


def test_an_operation_that_failed_reached_nobody() -> None:
    assert told("argocd", ARGOCD | {"phase": "Failed"}) == []


@pytest.mark.parametrize(("name", "payload"), [("argocd", ARGOCD), ("argo-rollouts", ROLLOUT)])
def test_an_environment_must_be_annotated(name: str, payload: dict[str, object]) -> None:
    with pytest.raises(Malformed, match=r"annotate checkout.* with flyball.dev/environment"):
        told(name, payload | {"environment": ""})


def test_a_rollout_that_completed_succeeded_and_one_that_was_aborted_failed() -> None:
    [done] = told("argo-rollouts", ROLLOUT)
    assert (short(done), done["subject"], own(done)["outcome"]) == ("service.deployed", "checkout", "succeeded")
    assert (own(done)["repository"], own(done)["revision"]) == ("github.com/acme/shop", SHA)
    [aborted] = told("argo-rollouts", ROLLOUT | {"event": "aborted"})
    assert own(aborted)["outcome"] == "failed"
    assert taken(done).entity != taken(aborted).entity
    with pytest.raises(Malformed, match="completed or aborted"):
        told("argo-rollouts", ROLLOUT | {"event": "paused"})


@pytest.mark.parametrize(
    ("reference", "place", "tag", "digest"),
    [
        ("ghcr.io/acme/checkout:2.14.0", "ghcr.io/acme/checkout", "2.14.0", ""),
        ("localhost:5000/checkout", "localhost:5000/checkout", "", ""),
        ("localhost:5000/checkout:1@sha256:abc", "localhost:5000/checkout", "1", "sha256:abc"),
        ("redis", "redis", "", ""),
    ],
)
def test_an_images_reference_is_read_in_parts(reference: str, place: str, tag: str, digest: str) -> None:
    image = image_of(reference)
    assert image is not None
    assert (image.place, image.tag, image.digest) == (place, tag, digest)


def test_an_image_by_digest_has_its_package_url() -> None:
    image = image_of("ghcr.io/acme/checkout@sha256:0b31b1c0")
    assert image is not None
    assert image.artifact == "pkg:oci/checkout@sha256%3A0b31b1c0?repository_url=ghcr.io/acme/checkout"
    assert image.version == "sha256:0b31b1c0"


def test_what_is_no_reference_is_no_image() -> None:
    assert [image_of(text) for text in ("", "a b", "x/", "x:a b", ":tag")] == [None] * 5
    assert image_for("x", ["a/b:1", "c/d:2"]) is None
    assert image_of("a/b:20261120") is not None
    assert image_for("b", ["a/b:20261120"]).revision == ""  # type: ignore[union-attr]


def test_a_promoted_canary_is_a_deployment() -> None:
    [event] = told("flagger", FLAGGER)
    assert (short(event), event["subject"], event["source"]) == ("service.deployed", "podinfo", "/flagger/test/podinfo")
    assert event["time"] == "2026-11-20T11:00:00.123000Z"
    assert content(event) == {"environment": {"id": "production"}, "artifactId": "pkg:generic/podinfo@85d557f47b"}
    assert own(event) == {"version": "85d557f47b", "outcome": "succeeded"}


def test_a_canary_that_failed_is_a_failed_deployment() -> None:
    failed = changed(FLAGGER | {"phase": "Failed"}, "metadata.eventMessage", "Canary failed! Scaling down podinfo.test")
    assert own(told("flagger", failed)[0])["outcome"] == "failed"


def test_metadata_tells_what_flagger_does_not_know() -> None:
    more = {"service": "shop", "version": "6.1.0", "repository": "https://github.com/acme/podinfo", "revision": SHA}
    [event] = told("flagger", FLAGGER | {"metadata": FLAGGER["metadata"] | more})
    assert event["subject"] == "shop"
    assert own(event).items() >= {"version": "6.1.0", "repository": "github.com/acme/podinfo", "revision": SHA}.items()
    assert content(event)["artifactId"] == f"pkg:github/acme/podinfo@{SHA}"


@pytest.mark.parametrize("phase", ["Initialized", "Waiting", "Progressing", "Promoting", "Finalising"])
def test_before_its_end_a_canary_tells_nothing(phase: str) -> None:
    assert told("flagger", FLAGGER | {"phase": phase}) == []


def test_other_events_of_a_canary_that_ended_tell_nothing() -> None:
    assert told("flagger", changed(FLAGGER, "metadata.eventMessage", "Terminating canary podinfo.test")) == []


def test_a_webhook_of_another_type_is_told_so() -> None:
    with pytest.raises(Malformed, match="type event"):
        told("flagger", FLAGGER | {"metadata": {"environment": "production"}})
    with pytest.raises(Malformed, match="with an environment"):
        told("flagger", changed(FLAGGER, "metadata.environment", ""))
