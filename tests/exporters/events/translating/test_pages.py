"""What the how-to pages show works: templates, webhooks and commands."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.events.translating import github, pagerduty
from exporters.events.translating.senders import all_translators
from tests.exporters.events.translating.go_templates import rendered
from tests.exporters.events.translating.payloads import GITHUB_DEPLOYMENT, SHA, Json, changed, content, own, short, told

DOCS = Path(__file__).resolve().parents[4] / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Fenced blocks, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def documents(name: str) -> list[Json]:
    return [yaml.safe_load(block)["data"] for block in blocks(page(f"how-to/{name}"), "yaml")]


def body(config: Json, template: str, variables: Json) -> Any:
    webhook = yaml.safe_load(config[template])["webhook"]["flyball"]
    assert webhook["method"] == "POST"
    return json.loads(rendered(webhook["body"], variables))


APPLICATION: Json = {
    "metadata": {
        "name": "checkout-prod",
        "namespace": "argocd",
        "uid": "1fb0c9a1",
        "annotations": {"flyball.dev/service": "checkout", "flyball.dev/environment": "production"},
    },
    "spec": {"source": {"repoURL": "https://github.com/acme/deploy.git"}},
    "status": {
        "history": [{"id": 40, "revision": "ab" * 20}, {"id": 41, "revision": SHA}],
        "summary": {"images": ["ghcr.io/acme/checkout:2.14.0", "redis:7"]},
        "operationState": {
            "phase": "Succeeded",
            "startedAt": "2026-11-20T11:00:00Z",
            "finishedAt": "2026-11-20T11:00:40Z",
        },
    },
}


def test_argo_cds_template_makes_what_is_understood() -> None:
    config = documents("connect-argo-events")[0]
    variables = {"app": APPLICATION, "context": {"argocdUrl": "https://argocd.example.com"}}
    [event] = told("argocd", body(config, "template.flyball-deployed", variables))
    assert (event["subject"], content(event)["environment"]["id"]) == ("checkout", "production")
    assert own(event) == {
        "deployment": "1fb0c9a1/41", "version": "2.14.0", "repository": "github.com/acme/deploy", "revision": SHA,
        "outcome": "succeeded", "startedAt": "2026-11-20T11:00:00Z",
        "url": "https://argocd.example.com/applications/argocd/checkout-prod",
    }  # fmt: skip
    [trigger] = yaml.safe_load(config["trigger.on-flyball-deployed"])
    assert trigger["send"] == ["flyball-deployed"]


@pytest.mark.parametrize(("template", "outcome"), [("completed", "succeeded"), ("aborted", "failed")])
def test_argo_rollouts_templates_make_what_is_understood(template: str, outcome: str) -> None:
    config = documents("connect-argo-events")[1]
    annotations = {"rollout.argoproj.io/revision": "17", "flyball.dev/environment": "production"}
    containers = [{"image": f"ghcr.io/acme/checkout:{SHA}"}, {"image": "envoy:1"}]
    rollout = {
        "metadata": {"name": "checkout", "namespace": "shop", "uid": "a2b5", "annotations": annotations},
        "spec": {"template": {"spec": {"containers": containers}}},
    }
    [event] = told("argo-rollouts", body(config, f"template.flyball-{template}", {"rollout": rollout}))
    assert (event["source"], event["time"]) == ("/argo-rollouts/shop/checkout", "2026-11-20T11:20:00Z")
    assert (own(event)["outcome"], own(event)["version"]) == (outcome, SHA)
    assert yaml.safe_load(config[f"trigger.on-rollout-{template}"]) == [{"send": [f"flyball-{template}"]}]


def test_both_argos_bring_their_token_to_their_path() -> None:
    for config, sender in zip(documents("connect-argo-events"), ("argocd", "argo-rollouts"), strict=True):
        service = yaml.safe_load(config["service.webhook.flyball"])
        assert service["url"].endswith(f"/events/{sender}")
        assert {"name": "Authorization", "value": "Bearer $flyball-token"} in service["headers"]


def test_flaggers_webhook_has_metadata_that_is_understood() -> None:
    [canary] = [yaml.safe_load(block) for block in blocks(page("how-to/connect-flagger-events"), "yaml")]
    [webhook] = canary["spec"]["analysis"]["webhooks"]
    assert webhook["type"] == "event"
    sent = {"eventMessage": "Promotion completed! Scaling down checkout.shop", "timestamp": "1795172400123"}
    payload = {
        "name": canary["metadata"]["name"], "namespace": "shop", "phase": "Succeeded", "checksum": "85d557f47b",
        "metadata": webhook["metadata"] | sent,
    }  # fmt: skip
    [event] = told("flagger", payload)
    assert (event["subject"], own(event)["version"], own(event)["revision"]) == ("checkout", "2.14.0", SHA)


def test_githubs_webhook_sends_what_is_translated() -> None:
    hook = next(block for block in blocks(page("how-to/connect-github-events"), "sh") if "hooks" in block)
    asked = json.loads(re.sub(r"\$\(.*?\)", "x", hook[hook.index("{") : hook.rindex("}") + 1]))
    assert sorted(asked["events"]) == sorted(github._TRANSLATE)
    assert asked["config"]["content_type"] == "json"


def test_pagerdutys_subscription_sends_what_is_translated() -> None:
    asked = next(block for block in blocks(page("how-to/connect-pagerduty-events"), "sh"))
    subscription = json.loads(asked[asked.index("{") : asked.rindex("}") + 1])["webhook_subscription"]
    assert sorted(subscription["events"]) == sorted(pagerduty._WORDS)


def test_the_deployments_payload_that_is_shown_is_read() -> None:
    [shown] = blocks(page("reference/event-webhooks"), "json")
    payload = json.loads(shown)
    webhook = changed(GITHUB_DEPLOYMENT, "deployment.payload", payload)
    [event] = told("github", webhook, {"x-github-event": "deployment_status"})
    assert short(event) == "service.rolledback"
    assert own(event)["changes"] == ["12", "acme/lib#7"]


def test_the_reference_names_every_sender_and_its_secret() -> None:
    text = page("reference/event-webhooks")
    for name in all_translators(lambda key: ""):
        assert f"/events/{name}`" in text or f"`{name}`" in text
    for name in ("GITHUB", "GITLAB", "PAGERDUTY"):
        assert f"`FLYBALL_EVENTS_{name}_SECRET`" in text
