"""SLOPolicy documents and annotations: whom they concern, who wins, and what is wrong with them."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from controlplane.burn_rate import tier_name
from controlplane.model.alerting import AlertMethod, Urgency
from controlplane.model.slo import SLO, Absent, NoTraffic
from controlplane.problems import has_errors
from controlplane.specfile import SourceFile, read
from flyball.kinds import KINDS
from slo.resolve import Resolved, slos_from
from tests.slo.reading import an_slo_file, told


def policy(spec: str, name: str = "calm") -> str:
    body = dedent(spec).strip().replace("\n", "\n  ")
    return f"apiVersion: flyball.dev/v1\nkind: SLOPolicy\nmetadata: {{name: {name}}}\nspec:\n  {body}\n"


def annotated(name: str = "checkout", labels: str = "{}", total: str = 'x{job="shop"}', **annotations: str) -> str:
    lines = "".join(f"\n    flyball.dev/{key.replace('_', '-')}: {value}" for key, value in annotations.items())
    metadata = f"  labels: {labels}\n" + (f"  annotations:{lines}" if lines else "")
    return an_slo_file(name=name, metadata=metadata, total=total, bad='x{job="shop",code="500"}')


def resolved(*texts: str) -> Resolved:
    files = [SourceFile(f"{chr(97 + index)}.yaml", text.encode()) for index, text in enumerate(texts)]
    result = read(files, KINDS)
    assert not result.problems, result.problems
    return slos_from(result.documents)


def only(*texts: str) -> SLO:
    found = resolved(*texts)
    assert not told(found)
    (slo,) = found.slos
    return slo


def tiers(slo: SLO) -> list[str]:
    return [tier_name(tier) for tier in slo.alerting.tiers]


def test_a_policy_settles_what_it_names_for_the_slos_that_it_selects() -> None:
    found = resolved(
        policy("""
            select: {services: [sh*], labels: {team: pay}}
            noTraffic: bad
            absent: page
            absentAfter: 5m
            up: auto
            alerts:
              method: burn-rate
              fewestBadEvents: 10
              drop: [page-6h]
              page: {severity: critical, labels: {notify: phone}, annotations: {help: "{{ $labels.slo }}"}}
        """),
        annotated("checkout", "{team: pay}"),
        annotated("search", "{team: search}"),
    )
    assert not told(found)
    checkout, search = found.slos
    assert checkout.policy.no_traffic is NoTraffic.BAD
    assert checkout.policy.absent is Absent.PAGE
    assert checkout.policy.absent_after == timedelta(minutes=5)
    assert checkout.policy.up == 'up{job="shop"}'
    assert checkout.alerting.method is AlertMethod.BURN_RATE
    assert checkout.alerting.fewest_bad_events == Decimal(10)
    assert tiers(checkout) == ["page-1h", "ticket-1d", "ticket-3d"]
    assert checkout.alerting.text(Urgency.PAGE).severity == "critical"
    assert search == resolved(annotated("search", "{team: search}")).slos[0]


def test_annotations_settle_the_same_for_one_slo_and_beat_every_policy() -> None:
    slo = only(
        policy("select: {slos: [checkout]}\nnoTraffic: bad\nabsent: page\nalerts: {method: burn-rate, drop: [ticket]}"),
        annotated(
            no_traffic="excluded", absent="ignore", alerts="budget", drop_tiers="page-1h", group_by="'tenant, region'"
        ),
    )
    assert (slo.policy.no_traffic, slo.policy.absent) == (NoTraffic.EXCLUDED, Absent.IGNORE)
    assert slo.alerting.method is AlertMethod.BUDGET
    assert tiers(slo) == ["page-6h", "ticket-1d", "ticket-3d"]
    assert slo.groups == ("tenant", "region")


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("slos: [checkout]", "slos: ['check*']"),
        ("slos: ['check*']", "services: [shop]"),
        ("services: [shop], labels: {team: pay}", "services: [shop]"),
        ("labels: {team: pay}", "all: true"),
    ],
)
def test_the_more_specific_policy_wins_wherever_it_stands(narrow: str, wide: str) -> None:
    texts = [
        policy(f"select: {{{narrow}}}\nnoTraffic: good", "narrow"),
        policy(f"select: {{{wide}}}\nnoTraffic: bad\nabsent: page", "wide"),
    ]
    for order in (texts, texts[::-1]):
        slo = only(*order, annotated(labels="{team: pay}"))
        assert (slo.policy.no_traffic, slo.policy.absent) == (NoTraffic.GOOD, Absent.PAGE)


def test_a_policy_that_an_slo_asks_for_by_name_wins_over_all() -> None:
    slo = only(
        policy("noTraffic: good", "asked"),
        policy("select: {slos: [checkout]}\nnoTraffic: bad", "named"),
        annotated(policy="asked"),
    )
    assert slo.policy.no_traffic is NoTraffic.GOOD


def test_equally_specific_policies_must_not_contradict_each_other() -> None:
    first, second = (policy(f"select: {{services: [shop]}}\nabsent: {how}", how) for how in ("page", "ignore"))
    assert told(resolved(first, second, annotated("a"), annotated("b"))) == [
        "b.yaml:6:3: error: spec.absent: the policy `page` says otherwise about `a` and 1 more SLO, as specifically "
        "(it does so at a.yaml:6:3; take one away, or select more narrowly (by name beats by label))"
    ]
    same = policy("select: {services: [shop]}\nabsent: page", "again")
    assert not told(resolved(first, same, annotated("a")))


def test_tiers_are_replaced_changed_and_dropped_as_data() -> None:
    slo = only(
        policy("""
            select: {all: true}
            alerts:
              change: {page-1h: {budgetShare: 0.03, for: 2m}, ticket-3d: {burnRate: 1.5}}
        """),
        annotated(),
    )
    first, *_, last = slo.alerting.tiers
    assert (first.budget_share, first.hold, first.short) == (
        Decimal("0.03"),
        timedelta(minutes=2),
        timedelta(minutes=5),
    )
    assert last.burn_rate == Decimal("1.5")
    slo = only(
        policy("select: {all: true}\nalerts: {drop: [page-6h]}", "less"),
        policy(
            "select: {services: [shop]}\nalerts: {tiers: [{severity: page, budgetShare: 0.1, long: 2h, short: 10m}]}"
        ),
        annotated(),
    )
    (tier,) = slo.alerting.tiers
    assert (tier.short, tier.long, tier.spent_within) == (
        timedelta(minutes=10),
        timedelta(hours=2),
        (timedelta(hours=2),),
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("select: {}\nabsent: page",
         "spec.select: selects nothing (name slos:, services: or labels:, or write all: true)"),
        ("select: {slos: [chekout]}\nabsent: page",
         "spec.select.slos[0]: no SLO is named `chekout`, did you mean `checkout`?"),
        ("select: {slos: ['web-*']}\nabsent: page", "spec.select.slos[0]: no SLO fits `web-*`"),
        ("select: {labels: {taem: a}}\nabsent: page",
         "spec.select.labels.taem: no label of an SLO is named `taem`, did you mean `team`?"),
        ("select: {labels: {team: b}}\nabsent: page", "spec.select.labels.team: no team of an SLO is named `b`"),
        ("select: {all: true}", "spec: sets nothing (add noTraffic:, absent: or alerts:)"),
        ("absent: page", "spec: selects nothing, and no SLO asks for it by name "
         "(add select:, or the annotation flyball.dev/policy: calm to an SLO)"),
        ("select: {all: true}\nabsentAfter: soon", "spec.absentAfter: `soon` is not a duration "
         "(a whole number and m, h, d or w, as in 5m, 6h or 3d)"),
        ("select: {all: true}\nup: sum(", "spec.up: the bracket `(` is never closed (expected `)`)"),
        ("select: {all: true}\nalerts: {drop: [page-2h]}",
         "spec.alerts.drop[0]: no tier is named `page-2h`, did you mean `page-6h`?"),
        ("select: {all: true}\nalerts: {change: {page-1h: {short: 2h}}}",
         "spec.alerts.change.page-1h.short: the short window must be shorter than the long one"),
        ("select: {all: true}\nalerts: {change: {page-1h: {short: 1m}}}",
         "spec.alerts.change.page-1h.short: must be between 5m and 366d"),
        ("select: {all: true}\nalerts: {page: {annotations: {a: '{{ $lables.x }}'}}}",
         "spec.alerts.page.annotations.a: unknown variable `$lables`, did you mean `$labels`?"),
        ("select: {all: true}\nalerts: {page: {labels: {slo: x}}}",
         "spec.alerts.page.labels.slo: Flyball sets this label itself"),
        ("select: {all: true}\nalerts: {page: {severity: ticket}}",
         "spec.alerts.page.severity: pages and tickets of `checkout` would have one name and one severity"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_policy_is_told_at_its_place(spec: str, expected: str) -> None:
    problems = told(resolved(policy(spec), annotated(labels="{team: a}")))
    assert [line.split(": ", 2)[2] for line in problems] == [expected]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("no-traffic", "baad", "`baad` is none of good, excluded, bad, did you mean `bad`?"),
        ("absent-after", "1y", "`1y` is not a duration (a whole number and m, h, d or w, as in 5m, 6h or 3d)"),
        ("up", "'sum('", "the bracket `(` is never closed (expected `)`)"),
        ("group-by", "slo", "Flyball or Prometheus sets `slo` itself (choose another label)"),
        ("group-by", "''", "names nothing (names, separated by commas)"),
        ("drop-tiers", "pages", "no tier is named `pages`, did you mean `page`?"),
        ("policy", "calm", "no SLOPolicy is named `calm`"),
        ("no-trafic", "bad", "unknown annotation `flyball.dev/no-trafic`, did you mean `flyball.dev/no-traffic`?"),
    ],
)
def test_what_is_wrong_with_an_annotation_is_told(key: str, value: str, expected: str) -> None:
    (problem,) = told(resolved(annotated(**{key: value})))
    assert problem.split(": ", 3)[3] == expected


def test_a_setting_of_slos_on_something_else_is_told() -> None:
    service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop, annotations: {flyball.dev/absent: page}}\n"
    assert told(resolved(service + "---\n" + annotated())) == [
        'a.yaml:3:58: warning: metadata.annotations["flyball.dev/absent"]: changes nothing here '
        "(write it at the SLO itself)"
    ]


def test_up_cannot_be_derived_where_no_job_is_named() -> None:
    found = resolved(annotated(total="x", up="auto"))
    assert [slo.policy.up for slo in found.slos] == ['up{job="shop"}']  # the bad events name it
    other = an_slo_file(metadata="  annotations: {flyball.dev/up: auto}")
    assert "do not name one job" in told(resolved(other))[0]


@pytest.mark.parametrize("path", ["reference/slo-policy.md", "how-to/tune-alerts.md"])
def test_policies_in_the_docs_are_right(path: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / path).read_text()
    (written,) = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "kind: SLOPolicy" in block]
    name = re.findall(r"name: ([a-z-]+)}", written)[0]
    found = resolved(annotated("pay-cards", policy=name), written)
    assert not has_errors(found.problems)
    (slo,) = found.slos
    assert slo.alerting.text(Urgency.PAGE).severity == "critical"
