"""Caps as Kubernetes objects: KEDA's ScaledObject (keda.sh/v1alpha1) and HorizontalPodAutoscaler (autoscaling/v2)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import yaml

from controlplane import conventions as names
from controlplane.burn_rate import number
from controlplane.model.generation import TextFile
from finops.caps.capping import Maximum, maximum_of
from finops.caps.model import AutoscalingCap, BudgetState, PrometheusTrigger, ResourceTrigger, Scaler, Trigger
from finops.caps.replica_prices import known_prices

_HEAD: Final = "# Written by flyball compile from AutoscalingCap {name}; do not edit.\n"
# KEDA keeps a paused workload at this number; its maximum itself cannot be 0.
# Source: https://keda.sh/docs/latest/concepts/scaling-deployments/#pausing-autoscaling
_PAUSED: Final = "autoscaling.keda.sh/paused-replicas"
_MANAGED_BY: Final = ("app.kubernetes.io/managed-by", "flyball")
_MAXIMUM: Final = re.compile(rf"^ {{4}}{re.escape(names.ANNOTATION_CAP_MAXIMUM)}: '([0-9]{{1,9}})'$", re.MULTILINE)
_CENT: Final = Decimal("0.01")
_TENTH: Final = Decimal("0.1")
_SECOND: Final = timedelta(seconds=1)
_Object = dict[str, object]


def manifests(
    caps: Sequence[AutoscalingCap],
    budget_states: Mapping[str, BudgetState],
    now: datetime,
    *,
    prices: Mapping[str, Decimal] | None = None,
    previous: Mapping[str, int] | None = None,
) -> tuple[TextFile, ...]:
    """One file for each cap, `NAME.yaml`, sorted; the same bytes for the same input.

    `budget_states` by the budget's name; one that is missing is not known. `prices` of a replica-hour by the cap's name
    (left out: those that the caps themselves tell). `previous`: maxima in force by the cap's name, see `maxima_in`.
    """
    paid = known_prices(caps, (), now) if prices is None else prices
    before = previous or {}
    files = []
    for one in sorted(caps, key=lambda each: each.name):
        state = budget_states.get(one.budget)
        maximum = maximum_of(one, state, paid.get(one.name), now, before.get(one.name))
        document = _scaled_object(one, maximum) if one.scaler is Scaler.KEDA else _pod_autoscaler(one, maximum)
        annotations = _annotations(one, maximum, state)
        metadata: _Object = {
            "name": one.name,
            "namespace": one.target.namespace,
            "labels": {**dict(one.labels), _MANAGED_BY[0]: _MANAGED_BY[1]},
            "annotations": annotations | _pause(one, maximum),
        }
        whole = {key: metadata if key == "metadata" else value for key, value in document.items()}
        text = yaml.safe_dump(whole, sort_keys=False, width=1_000, allow_unicode=True)
        files.append(TextFile(f"{one.name}.yaml", _HEAD.format(name=one.name) + text))
    return tuple(files)


def maxima_in(files: Iterable[TextFile]) -> Mapping[str, int]:
    """The maxima that manifests written before put in force, by the cap's name; files without one are left out."""
    found = {file.name.removesuffix(".yaml"): _MAXIMUM.search(file.text) for file in files}
    return {name: int(match[1]) for name, match in found.items() if match}


def _scaled_object(one: AutoscalingCap, maximum: Maximum) -> _Object:
    most = max(maximum.replicas, 1)
    least = min(one.minimum, most)
    spec: _Object = {"scaleTargetRef": _target(one)}
    spec |= {"pollingInterval": one.polling // _SECOND, "cooldownPeriod": one.cooldown // _SECOND}
    if one.idle_to_zero and least > 0:
        spec["idleReplicaCount"] = 0  # the only value that KEDA takes, and only below minReplicaCount
    spec |= {"minReplicaCount": least, "maxReplicaCount": most}
    spec["advanced"] = {"horizontalPodAutoscalerConfig": {"behavior": _behaviour(one)}}
    spec["triggers"] = [_trigger(trigger) for trigger in one.triggers]
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": None, "spec": spec}


def _pod_autoscaler(one: AutoscalingCap, maximum: Maximum) -> _Object:
    most = max(maximum.replicas, 1)
    spec: _Object = {
        "scaleTargetRef": _target(one),
        "minReplicas": max(min(one.minimum, most), 1),
        "maxReplicas": most,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": trigger.resource,
                    "target": {"type": "Utilization", "averageUtilization": trigger.utilization},
                },
            }
            for trigger in one.triggers
            if isinstance(trigger, ResourceTrigger)
        ],
        "behavior": _behaviour(one),
    }
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": None, "spec": spec}


def _target(one: AutoscalingCap) -> _Object:
    return {"apiVersion": one.target.api_version, "kind": one.target.kind, "name": one.target.name}


def _behaviour(one: AutoscalingCap) -> _Object:
    return {"scaleDown": {"stabilizationWindowSeconds": one.stabilization // _SECOND}}


def _trigger(trigger: Trigger) -> _Object:
    if isinstance(trigger, ResourceTrigger):
        metadata = {"value": str(trigger.utilization)}
        return {"type": trigger.resource, "metricType": "Utilization", "metadata": metadata}
    return {"type": "prometheus", "metadata": _asked(trigger)}


def _asked(trigger: PrometheusTrigger) -> dict[str, str]:
    metadata = {
        "serverAddress": trigger.server,
        "query": trigger.query,
        "threshold": number(trigger.threshold),
    }
    if trigger.activation is not None:
        metadata["activationThreshold"] = number(trigger.activation)
    return metadata


def _annotations(one: AutoscalingCap, maximum: Maximum, state: BudgetState | None) -> dict[str, str]:
    return {
        names.ANNOTATION_CAP_BUDGET: one.budget,
        names.ANNOTATION_CAP_MAXIMUM: str(maximum.replicas),
        names.ANNOTATION_CAP_REASON: maximum.reason.value,
        names.ANNOTATION_CAP_STATE: _words(state),
    }


def _pause(one: AutoscalingCap, maximum: Maximum) -> dict[str, str]:
    return {_PAUSED: "0"} if maximum.replicas == 0 and one.scaler is Scaler.KEDA else {}


def _words(state: BudgetState | None) -> str:
    if state is None or state.remaining is None:
        return "not known"
    money = f"{state.remaining.quantize(_CENT)} {state.currency} for {state.hours_left.quantize(_TENTH)} h"
    if state.at is None:
        return f"the whole amount, {money}: compiled from files alone"
    return f"{money}, as of {state.at:%Y-%m-%dT%H:%M:%SZ}"
