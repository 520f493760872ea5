"""The shape of what Kubernetes takes, as far as we write it, with nothing else allowed.

ScaledObject: kedacore/keda, config/crd/bases/keda.sh_scaledobjects.yaml (v1alpha1; the fields of KEDA 2.22), and the
admission checks of apis/keda/v1alpha1/scaledobject_types.go: idleReplicaCount < minReplicaCount ≤ maxReplicaCount.
HorizontalPodAutoscaler: Kubernetes API reference, autoscaling/v2 HorizontalPodAutoscalerSpec, and its validation:
1 ≤ minReplicas ≤ maxReplicas, stabilizationWindowSeconds 0 … 3600.
"""

from typing import Any


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"}
_METADATA = _object(
    ["name", "namespace"],
    name=_NAME,
    namespace={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
    labels={"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}},
    annotations={"type": "object", "additionalProperties": {"type": "string"}},
)
_BEHAVIOUR = _object(
    [],
    scaleDown=_object([], stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600}),
)

SCALED_OBJECT = _object(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "keda.sh/v1alpha1"},
    kind={"const": "ScaledObject"},
    metadata=_METADATA,
    spec=_object(
        ["scaleTargetRef", "triggers"],
        scaleTargetRef=_object(["name"], apiVersion=_TEXT, kind=_TEXT, name=_NAME, envSourceContainerName=_TEXT),
        pollingInterval=_COUNT,
        cooldownPeriod=_COUNT,
        initialCooldownPeriod=_COUNT,
        idleReplicaCount={"const": 0},
        minReplicaCount=_COUNT,
        maxReplicaCount={"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
        fallback=_object(["failureThreshold", "replicas"], failureThreshold=_COUNT, replicas=_COUNT),
        advanced=_object(
            [],
            restoreToOriginalReplicaCount={"type": "boolean"},
            horizontalPodAutoscalerConfig=_object([], name=_TEXT, behavior=_BEHAVIOUR),
        ),
        triggers={
            "type": "array",
            "minItems": 1,
            "items": _object(
                ["type", "metadata"],
                type={"enum": ["prometheus", "cpu", "memory"]},
                name=_TEXT,
                metricType={"enum": ["AverageValue", "Value", "Utilization"]},
                useCachedMetrics={"type": "boolean"},
                metadata={"type": "object", "additionalProperties": {"type": "string"}},
            ),
        },
    ),
)

POD_AUTOSCALER = _object(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "autoscaling/v2"},
    kind={"const": "HorizontalPodAutoscaler"},
    metadata=_METADATA,
    spec=_object(
        ["scaleTargetRef", "maxReplicas"],
        scaleTargetRef=_object(["kind", "name"], apiVersion=_TEXT, kind=_TEXT, name=_NAME),
        minReplicas={"type": "integer", "minimum": 1},
        maxReplicas={"type": "integer", "minimum": 1},
        behavior=_BEHAVIOUR,
        metrics={
            "type": "array",
            "items": _object(
                ["type", "resource"],
                type={"const": "Resource"},
                resource=_object(
                    ["name", "target"],
                    name={"enum": ["cpu", "memory"]},
                    target=_object(
                        ["type"],
                        type={"const": "Utilization"},
                        averageUtilization={"type": "integer", "minimum": 1},
                    ),
                ),
            ),
        },
    ),
)
