"""Nodes, volumes and load balancers by OpenCost's metrics, split to workloads by what they were allocated.

Metrics: https://opencost.io/docs/integrations/metrics/. A node's price is shared by its cores and memory: at OpenCost's
own prices for a core and a GiB where they are exported, else by its size. What nobody was allocated is idle; when more
was allocated than the node costs, workloads pay in proportion. So the parts of a node always sum to what it costs.
Whatever is not exported gives no spend.
"""

from collections.abc import Iterator
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number
from finops.pricing.model import Item, OpenCost
from finops.pricing.selectors import indented, labelled, quoted, renamed

NODE: Final = "node"
NODE_PRICE: Final = "node_total_hourly_cost"
_CORE_PRICE: Final = "node_cpu_hourly_cost"
_GIB_PRICE: Final = "node_ram_hourly_cost"
_GPU_PRICE: Final = "node_gpu_hourly_cost"
_CORES: Final = "kube_node_status_capacity_cpu_cores"
_BYTES: Final = "kube_node_status_capacity_memory_bytes"
_ALLOCATED_CORES: Final = "container_cpu_allocation"
_ALLOCATED_BYTES: Final = "container_memory_allocation_bytes"
_ALLOCATED_GPUS: Final = "container_gpu_allocation"
_VOLUME_PRICE: Final = "pv_hourly_cost"  # of a GiB
_VOLUME_BYTES: Final = "kube_persistentvolume_capacity_bytes"
_CLAIMED_BYTES: Final = "pod_pvc_allocation"
_BALANCER_PRICE: Final = "kubecost_load_balancer_cost"
_GIB: Final = "1073741824"
_PART: Final = "flyball_part"
_VOLUME: Final = "persistentvolume"


def workloads(item: Item) -> str:
    """Money an hour of what runs on each node at OpenCost's or our unit prices, by node and the item's labels."""
    assert item.opencost is not None
    theirs = ", ".join((NODE, *(item.label_in_metric(label) for label in item.by)))
    parts = [
        labelled(f"{_once(metric)}{size}\n* on ({NODE}) group_left ()\n({price})", _PART, part)
        for part, metric, size, price in _unit_prices(item.opencost)
    ]
    text = f"sum by ({theirs}) (\n{indented(f'{chr(10)}or{chr(10)}'.join(parts))}\n)"
    return _ours(item, text, (NODE, *item.by))


def hourly(item: Item, by_node: str) -> str:
    """Money an hour, by the item's labels and those of nodes that it keeps, and by resource.

    `by_node`: what `workloads` gives, or the series that it was recorded as.
    """
    assert item.opencost is not None
    nodes = item.opencost.node_labels
    kept = tuple(dict.fromkeys((*item.by, *nodes, names.SERVICE)))
    whole = f"max by ({', '.join((NODE, *nodes))}) ({NODE_PRICE})"
    used = f"sum by ({NODE}) ({by_node})"
    price = f"clamp_max({whole} / on ({NODE}) group_left () ({used} > 0), 1)"
    charged = f"{_sum((*item.by, NODE), by_node)}\n* on ({NODE}) group_left ({', '.join(nodes)})\n{price}"
    idle = f"clamp_min({whole} - on ({NODE}) group_left () {used}, 0)\nor\n{whole}"
    idle = labelled(f"(\n{indented(idle)}\n)", names.SERVICE, names.IDLE_SERVICE)
    node = f"{_sum(kept, charged)}\nor\n{_sum(kept, idle)}"
    parts = [labelled(f"(\n{indented(node)}\n)", names.RESOURCE, "node"), *_storage(item), _balancers(item)]
    return "\nor\n".join(parts)


def _unit_prices(opencost: OpenCost) -> Iterator[tuple[str, str, str, str]]:
    """What is allocated of a node: a name, its metric, its size, and the price of one an hour, by node."""
    share = number(opencost.cpu_share)
    rest = number(1 - opencost.cpu_share)
    cores = [
        f"max by ({NODE}) ({_CORE_PRICE})",
        f"{share} * max by ({NODE}) ({NODE_PRICE}) / max by ({NODE}) ({_CORES})",
        *(_of_type(each.instance_type, f"{share} / {number(each.cores)}") for each in opencost.machines),
    ]
    gibs = [
        f"max by ({NODE}) ({_GIB_PRICE})",
        f"{rest} * max by ({NODE}) ({NODE_PRICE}) / (max by ({NODE}) ({_BYTES}) / {_GIB})",
        *(_of_type(each.instance_type, f"{rest} / {number(each.gib)}") for each in opencost.machines),
    ]
    yield "cpu", _ALLOCATED_CORES, "", " or ".join(cores)
    yield "memory", _ALLOCATED_BYTES, f" / {_GIB}", " or ".join(gibs)
    yield "gpu", _ALLOCATED_GPUS, "", f"max by ({NODE}) ({_GPU_PRICE})"


def _of_type(instance_type: str, share: str) -> str:
    return f"max by ({NODE}) ({NODE_PRICE}{{instance_type={quoted(instance_type)}}}) * {share}"


def _storage(item: Item) -> Iterator[str]:
    """Volumes: what pods claim of them by their labels, the rest idle."""
    price = f"max by ({_VOLUME}) ({_VOLUME_PRICE})"
    size = f"max by ({_VOLUME}) ({_VOLUME_BYTES}) / {_GIB}"
    theirs = ", ".join((_VOLUME, *(item.label_in_metric(label) for label in item.by)))
    claimed = f"max by ({theirs}) ({_CLAIMED_BYTES}) / {_GIB}"
    paid = _ours(item, f"sum by ({theirs}) ({claimed}\n* on ({_VOLUME}) group_left () {price})", item.by)
    rest = f"clamp_min({size} - sum by ({_VOLUME}) ({claimed}), 0) or {size}"
    idle = labelled(f"sum (({rest})\n* {price}) > 0", names.SERVICE, names.IDLE_SERVICE)
    yield labelled(f"({paid}\nor\n{idle})", names.RESOURCE, "storage")


def _balancers(item: Item) -> str:
    theirs = ", ".join(item.label_in_metric(label) for label in item.by)
    paid = _ours(item, f"sum by ({theirs}) ({_once(_BALANCER_PRICE)})", item.by)
    return labelled(f"({paid})", names.RESOURCE, "load_balancer")


def _once(metric: str) -> str:
    """A metric that two exporters, or an old and a new pod of one, may report twice."""
    return f"max without (job, instance) ({metric})"


def _sum(labels: tuple[str, ...], text: str) -> str:
    return f"sum by ({', '.join(labels)}) (\n{indented(text)}\n)"


def _ours(item: Item, text: str, labels: tuple[str, ...]) -> str:
    """Under our names of labels."""
    differing = [label for label in labels if item.label_in_metric(label) != label]
    for label in differing:
        text = renamed(text, label, item.label_in_metric(label))
    return _sum(labels, text) if differing else text
