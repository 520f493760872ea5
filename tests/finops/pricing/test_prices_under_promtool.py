"""What the rules of price maps say minute by minute: two exporters, silence, usage without a price, the correction."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from controlplane import conventions as names
from controlplane.rulefile import to_yaml
from finops.pricing.model import (
    Catalogue,
    Correction,
    Item,
    Machine,
    Measure,
    OpenCost,
    Price,
    Replicas,
    Staleness,
    TokenPrice,
    Usage,
)
from finops.pricing.rules import rule_file
from tests.finops.pricing.pricing import D, a_map, an_item, counted, present
from tests.finops.pricing.under_promtool import Check, firing, run

TWO = Replicas("exporter")
MONEY = present("spend_per_hour", name="money", is_money=True, schedule=(), by=("service",), replicas=TWO)


def hourly(at: str, *values: float, price: str = "money") -> Check:
    """The hourly rate of one price item, without labels."""
    return Check(at, f'sum(cost:estimate:hourly{{price="{price}"}})', {"{}": values[0]} if values else {})


def five_minutes(at: str, *values: float, price: str = "money") -> Check:
    return Check(at, f'sum(cost:spend:rolling5m{{price="{price}"}})', {"{}": values[0]} if values else {})


def test_two_exporters_of_the_same_spend_are_counted_once_and_one_may_fall_silent(
    promtool: str, tmp_path: Path
) -> None:
    series = {
        'spend_per_hour{exporter="a",service="x"}': "6x20 stale",
        'spend_per_hour{exporter="b",service="x"}': "6x60 stale",
    }
    checks = [hourly(f"{minute}m", 6) for minute in range(60)]
    checks += [five_minutes(f"{minute}m", 0.5) for minute in range(4, 60)]
    checks += [hourly("61m"), five_minutes("70m"), firing("70m", names.ALERT_COST_STALE)]
    checks += [firing("72m", names.ALERT_COST_STALE, '{price="money"}')]
    run(promtool, tmp_path, a_map(MONEY), series, checks)


def test_the_exporter_that_says_it_knows_more_recent_spend_is_read(promtool: str, tmp_path: Path) -> None:
    """Exporter a still answers, but its figures are those of minute 10; at minute 30 b stops knowing more, too."""
    item = replace(MONEY, replicas=Replicas("exporter", "known_seconds"))
    series = {
        'spend_per_hour{exporter="a",service="x"}': "9x80",
        'spend_per_hour{exporter="b",service="x"}': "6x80",
        'known_seconds{exporter="a"}': "1+60x10 601x70",
        'known_seconds{exporter="b"}': "0+60x30 1800x50",
    }
    checks = [hourly(f"{minute}m", 9) for minute in range(11)]
    checks += [hourly(f"{minute}m", 6) for minute in range(12, 40)]
    checks += [hourly("40m"), five_minutes("46m"), firing("40m", names.ALERT_COST_STALE)]
    checks += [firing("41m", names.ALERT_COST_STALE, '{price="money"}')]
    run(promtool, tmp_path, a_map(item), series, checks)


def test_a_counter_is_read_on_from_the_exporter_that_was_there_before(promtool: str, tmp_path: Path) -> None:
    """Exporter a restarts at minute 20 and counts from 0 again; b stops for good at minute 40."""
    item = counted("used_total", name="used", by=("service",), replicas=TWO)
    series = {
        'used_total{exporter="a",service="x"}': "1000+60x19 stale _x4 0+60x60",
        'used_total{exporter="b",service="x"}': "5000+60x40 stale",
    }
    checks = [five_minutes(f"{minute}m", 300, price="used") for minute in range(5, 75)]
    run(promtool, tmp_path, a_map(item), series, checks)


def test_counters_that_reset_or_are_born_lose_nothing(promtool: str, tmp_path: Path) -> None:
    item = counted("tokens_total", name="tokens", by=("tenant",))
    target = 'job="j",instance="i:1"'
    series = {
        f"tokens_total{{{target},tenant='old'}}": "0+60x30 0+60x30",
        f"tokens_total{{{target},tenant='new'}}": "_x20 500x40",
        "tokens_total{job='j',instance='i:2',tenant='late'}": "_x20 900000+60x40",
    }
    sums = 'sum_over_time(cost:estimate:rolling5m{price="tokens",tenant="%s"}[59m]) / 5'
    run(
        promtool,
        tmp_path,
        a_map(item),
        {name.replace("'", '"'): values for name, values in series.items()},
        [
            Check("22m", 'sum(cost:estimate:rolling5m{tenant="new"})', {"{}": 500}),
            Check("60m", sums % "new", {'{currency="USD", price="tokens", resource="custom", tenant="new"}': 500}),
            # A target that was not there before may have counted for days: it starts with its next increase.
            Check("60m", f"{sums % 'late'} < 2400 > 2200 > bool 0", {
                '{currency="USD", price="tokens", resource="custom", tenant="late"}': 1}),
        ],
    )  # fmt: skip


def test_silence_is_told_by_service_where_asked_and_a_metric_that_never_was_is_told(
    promtool: str, tmp_path: Path
) -> None:
    spoken = counted("a_total", name="a", by=("service",), staleness=Staleness(timedelta(minutes=15), ("service",)))
    never = counted("never_total", name="never")
    optional = counted("maybe_total", name="maybe", staleness=Staleness(optional=True))
    series = {'a_total{service="x"}': "0+1x20 stale", 'a_total{service="y"}': "0+1x90"}
    run(
        promtool,
        tmp_path,
        a_map(spoken, never, optional),
        series,
        [
            firing("9m", names.ALERT_COST_STALE),
            firing("10m", names.ALERT_COST_STALE, '{price="never"}'),
            firing("35m", names.ALERT_COST_STALE, '{price="never"}'),
            firing("36m", names.ALERT_COST_STALE, '{price="never"}', '{price="a", service="x"}'),
            firing("90m", names.ALERT_COST_STALE, '{price="never"}', '{price="a", service="x"}'),
        ],
    )


def llm(**fields: object) -> Item:
    catalogue = Catalogue(
        "gen_ai_request_model",
        "gen_ai_token_type",
        (("input", "input"), ("output", "output")),
        prices=(
            TokenPrice("gpt-4o", "input", (Price(D("2.5"), D(1_000_000)),)),
            TokenPrice("gpt-4o", "output", (Price(D("10"), D(1_000_000)),)),
        ),
    )
    own = {"by": ("tenant", "model"), "renamed": (("model", "gen_ai_request_model"),), "schedule": (), **fields}
    return counted("gen_ai_client_token_usage_sum", name="llm", resource="token", catalogue=catalogue, **own)


def test_tokens_cost_what_their_model_does_and_unknown_models_are_unpriced_and_not_free(
    promtool: str, tmp_path: Path
) -> None:
    usage = 'gen_ai_client_token_usage_sum{gen_ai_request_model="%s",gen_ai_token_type="%s",tenant="t"}'
    series = {
        usage % ("gpt-4o", "input"): "0+1000x30",
        usage % ("gpt-4o", "output"): "0+100x30",
        usage % ("own-model", "input"): "0+7x30",
    }
    labels = (
        '{__name__="cost:spend:rolling5m", currency="USD", model="gpt-4o", price="llm", resource="token", tenant="t"}'
    )
    unknown = '{__name__="cost:unpriced_usage:rolling5m", model="own-model", price="llm", resource="token", tenant="t"}'
    run(
        promtool,
        tmp_path,
        a_map(llm()),
        series,
        [
            Check("20m", names.SPEND_ROLLING, {labels: 5000 * 2.5e-6 + 500 * 10e-6}),
            Check("20m", names.UNPRICED_USAGE, {unknown: 35}),
            firing("4m", names.ALERT_UNPRICED),
            firing("20m", names.ALERT_UNPRICED, '{price="llm", model="own-model"}'),
        ],
    )


def test_usage_before_the_first_price_is_unpriced(promtool: str, tmp_path: Path) -> None:
    from tests.slo.evaluating import utc

    begins = utc(1970, 1, 1, 1)
    item = counted("used_total", name="used", schedule=(Price(D(2), D(1), begins),))
    level = present("level", name="level", schedule=(Price(D(2), D(1), begins),))
    run(
        promtool,
        tmp_path,
        a_map(item, level),
        {"used_total": "0+1x120", "level": "12x120"},
        [
            Check("50m", 'cost:spend:rolling5m{price=~"used|level"}'),
            Check(
                "50m",
                "sum by (price) (cost:unpriced_usage:rolling5m)",
                {'{price="used"}': 5, '{price="level"}': 12 / 12},
            ),
            Check("62m", 'sum(cost:spend:rolling5m{price="used"})', {"{}": 4}),
            Check("70m", "sum by (price) (cost:spend:rolling5m)", {'{price="used"}': 10, '{price="level"}': 2}),
            Check("70m", names.UNPRICED_USAGE),
            firing("55m", names.ALERT_UNPRICED, '{price="used"}', '{price="level"}'),
        ],
    )


def test_the_correction_applies_while_it_is_fresh_and_believable(promtool: str, tmp_path: Path) -> None:
    item = counted("used_total", name="used", by=("service",))
    unbilled = counted("own_total", name="own", by=("service",), is_billed=False)
    price_map = replace(a_map(item, unbilled), correction=Correction(longest_age=timedelta(hours=2)))
    services = {"good": 0.8, "wild": 40, "old": 0.5, "unknown": None}
    series = {f'used_total{{service="{service}"}}': "0+1x150" for service in services}
    for service, ratio in services.items():
        if ratio is not None:
            series[f'flyball_cost_correction_ratio{{service="{service}",currency="USD"}}'] = f"{ratio}x80"
            seconds = -7200 if service == "old" else 0
            series[f'flyball_cost_correction_timestamp_seconds{{service="{service}",currency="USD"}}'] = f"{seconds}x80"
    series['own_total{service="good"}'] = "0+1x120"
    plain = {f'{{service="{service}"}}': 5.0 for service in services}
    used, estimated = (
        f'sum by (service) ({name}{{price="used"}})' for name in (names.SPEND_ROLLING, names.ESTIMATE_ROLLING)
    )
    run(
        promtool,
        tmp_path,
        price_map,
        series,
        [
            Check("30m", used, plain | {'{service="good"}': 4.0}),
            Check("30m", estimated, plain),
            Check("30m", 'sum(cost:spend:rolling5m{price="own"})', {"{}": 5.0}),
            Check("110m", used, plain | {'{service="good"}': 4.0}),
            Check("119m", used, plain | {'{service="good"}': 4.0}),
            Check("121m", used, plain),
        ],
    )  # fmt: skip


def opencost(**fields: object) -> Item:
    return an_item(
        None, name="cluster", resource="node", schedule=(), by=("service", "namespace"),
        opencost=OpenCost(("region",), D("0.5"), (Machine("m6i.2xlarge", D(8), D(32)),)),
        staleness=Staleness(optional=True), **fields,
    )  # fmt: skip


def test_the_parts_of_a_node_sum_to_what_it_costs(promtool: str, tmp_path: Path) -> None:
    """Node a by OpenCost's unit prices, b by its size, c overcommitted, d empty, e of unknown size."""
    gib = 1 << 30
    pods = {
        ("a", "x"): (2, 4), ("a", "y"): (1, 2), ("b", "x"): (2, 8), ("c", "y"): (16, 64), ("c", "x"): (8, 32),
        ("e", "x"): (2, 4),
    }  # fmt: skip
    series = {
        f'container_cpu_allocation{{node="{node}",service="{service}",namespace="n",pod="p"}}': f"{cores}x20"
        for (node, service), (cores, _) in pods.items()
    } | {
        f'container_memory_allocation_bytes{{node="{node}",service="{service}",namespace="n",pod="p"}}': f"{size}x20"
        for (node, service), size in ((key, gibs * gib) for key, (_, gibs) in pods.items())
    }
    types = {"a": "other", "b": "m6i.2xlarge", "c": "m6i.2xlarge", "d": "m6i.2xlarge", "e": "huge"}
    for node, kind in types.items():
        series[f'node_total_hourly_cost{{node="{node}",instance_type="{kind}",region="r"}}'] = "0.4x20"
    series['node_cpu_hourly_cost{node="a"}'] = "0.03x20"
    series['node_ram_hourly_cost{node="a"}'] = "0.01x20"
    x = 2 * 0.03 + 4 * 0.01 + 0.4 * (2 / 8 + 8 / 32) / 2 + 0.4 * 1 / 3
    y = 1 * 0.03 + 2 * 0.01 + 0.4 * 2 / 3
    idle = 5 * 0.4 - x - y
    run(
        promtool,
        tmp_path,
        a_map(opencost()),
        series,
        [
            Check(
                "10m",
                "round(sum by (service, namespace, region, resource) (cost:spend:rolling5m) * 12e9)",
                {
                    '{service="x", namespace="n", region="r", resource="node"}': round(x * 1e9),
                    '{service="y", namespace="n", region="r", resource="node"}': round(y * 1e9),
                    '{service="__idle__", region="r", resource="node"}': round(idle * 1e9),
                },
            ),
            Check("10m", "round(sum(cost:spend:rolling5m) * 12e9)", {"{}": 2e9}),
        ],
    )


def test_volumes_and_load_balancers_are_paid_too_and_absent_opencost_is_no_spend(promtool: str, tmp_path: Path) -> None:
    gib = 1 << 30
    series = {
        'pv_hourly_cost{persistentvolume="v"}': "0.001x20",
        'kube_persistentvolume_capacity_bytes{persistentvolume="v"}': f"{100 * gib}x20",
        'pod_pvc_allocation{persistentvolume="v",service="x",namespace="n",pod="p"}': f"{60 * gib}x20",
        'kubecost_load_balancer_cost{namespace="n",service_name="s"}': "0.025x20",
    }
    checks = [
        Check(
            "10m",
            "sum by (service, resource) (cost:estimate:hourly)",
            {
                '{service="x", resource="storage"}': 0.06,
                '{service="__idle__", resource="storage"}': 0.04,
                '{resource="load_balancer"}': 0.025,
            },
        ),
        Check("15m", names.SPEND_ROLLING + '{resource="node"}'),
        firing("15m", names.ALERT_COST_STALE),
    ]
    run(promtool, tmp_path, a_map(opencost()), series, checks)


def test_every_kind_of_rule_passes_promtools_lint_and_vmalert(promtool: str, tmp_path: Path) -> None:
    usage = Usage(Measure.COUNTER, '{__name__="x_total",a=~".+"}')
    items = (MONEY, counted(name="c"), llm(), opencost(), an_item(usage, name="u", replicas=Replicas("exporter", "t")))
    file = rule_file(a_map(*items))
    (tmp_path / file.name).write_text(to_yaml(file))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", file.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    taken = subprocess.run(["vmalert", f"-rule={tmp_path}/*.yaml", "-dryRun"], capture_output=True, text=True)
    assert taken.returncode == 0, taken.stderr[-2000:]
