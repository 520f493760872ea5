"""Routes and receivers as documents: what they mean, and what is said of mistakes."""

from datetime import timedelta

import pytest

from alerts.routing.declared import Known, declared
from alerts.routing.declared_receivers import declared as receivers_of
from alerts.routing.model import ChannelKind, Matcher, MatchOperator
from controlplane.model.incident import Priority
from controlplane.model.inhibition import Inhibition
from controlplane.problems import SECRET
from tests.alerts.documents import shown
from tests.alerts.routing.reading import documents, of, root, routes

DEFAULT = of("Route", "default", "default: true\nreceivers: [chat]\ngroupBy: [service]")


def test_documents_become_one_tree_by_order_then_name_between_our_own_routes() -> None:
    tree = root(
        of("Route", "zeta", "order: 5\nmatch: ['a=b']"),
        of("Route", "default", "default: true\nreceivers: [chat]\nroutes: [{name: own, match: ['d=e']}]"),
        of("Route", "beta", "match: ['a=b']\nroutes:\n  - {name: one, match: ['b=c'], routes: [{name: two}]}"),
        of("Route", "alpha", "match: ['a=b']"),
    )
    assert [node.name for node in tree.nodes()] == [
        "default", "watchdog", "zeta", "alpha", "beta", "beta/one", "beta/one/two", "default/own", "record",
    ]  # fmt: skip


def test_a_route_says_all_that_it_may_say() -> None:
    tree = root(
        DEFAULT,
        of(
            "Route",
            "pages",
            """\
match: ['severity="page"', 'service=~"a|b"']
receivers: [pager, chat]
escalation: p0
priority: P1
groupBy: ["..."]
groupWait: 0s
groupInterval: 90s
repeatInterval: 1d
resolveAfter: 5m
continue: true
muteDuring: [nights]
activeDuring: [office-hours]""",
        ),
    )
    pages = tree.routes[1]
    assert pages.matchers == (
        Matcher("severity", MatchOperator.EQUAL, "page"),
        Matcher("service", MatchOperator.MATCHES, "a|b"),
    )
    assert (pages.receivers, pages.escalation, pages.priority) == (("pager", "chat"), "p0", Priority.P1)
    assert (pages.group_by, pages.group_wait, pages.group_interval) == (
        ("...",), timedelta(0), timedelta(seconds=90)
    )  # fmt: skip
    assert (pages.repeat_interval, pages.resolve_after) == (timedelta(days=1), timedelta(minutes=5))
    assert (pages.goes_on, pages.muted_during, pages.active_during) == (True, ("nights",), ("office-hours",))
    assert pages.source is not None
    assert pages.source.line == 11


def test_without_documents_nothing_is_routed_and_nothing_is_wrong() -> None:
    found = declared([], Known())
    assert (found.root, found.problems) == (None, ())


def test_a_tree_needs_one_default() -> None:
    none = routes(of("Route", "pages", "match: ['a=b']"))
    assert none.root is None
    assert shown(none.problems) == [
        "4:1 spec: no Route has `default: true`: alerts that no route takes would be told to nobody (declare one with "
        "`default: true` and receivers)"
    ]
    two = routes(DEFAULT, of("Route", "other", "default: true\nreceivers: [chat]"))
    assert shown(two.problems) == [
        "13:12 spec.default: another Route is the default already (the first one is at alerts.yaml:5:12)"
    ]


def test_the_default_takes_everything_at_all_times() -> None:
    spec = "default: true\nmatch: ['a=b']\nmuteDuring: [nights]\nactiveDuring: [nights]\ncontinue: true"
    found = routes(of("Route", "default", spec))
    assert [line.partition(": ")[0] for line in shown(found.problems)] == [
        "4:1 spec", "6:3 spec.match", "7:3 spec.muteDuring", "8:3 spec.activeDuring", "9:3 spec.continue",
    ]  # fmt: skip


def test_every_mistake_of_a_route_is_told_at_its_place() -> None:
    found = routes(
        DEFAULT,
        of(
            "Route",
            "Bad Name",
            """\
match: ['severity="page', 'ok="yes"']
receivers: [chta]
escalation: p1
groupBy: [service, service, "a-b", "..."]
groupWait: 10
repeatInterval: 0s
muteDuring: [weekend]
inhibit: [{source: ['a=b'], target: ['c=d']}]
routes:
  - {name: all}
  - {name: never, match: ['a=b']}
  - {name: all}
tests:
  - name: a test
    labels: {"a-b": c}
    at: yesterday
    expect: {receivers: [nobody], escalation: p9}
  - {name: on call, labels: {}, expect: {onCall: [ann]}}""",
        ),
    )
    assert shown(found.problems, hints=False) == [
        "11:18 metadata.name: `Bad Name` is not a name: lower-case letters, digits and `-`, beginning and ending with "
        "one of the former",
        '13:11 spec.match[0]: the quote in `"page` is not closed',
        "14:15 spec.receivers[0]: there is no Receiver `chta`, did you mean `chat`?",
        "15:15 spec.escalation: there is no EscalationPolicy `p1`",
        "16:22 spec.groupBy[1]: `service` is there twice",
        "16:31 spec.groupBy[2]: `a-b` is not the name of a label",
        "16:38 spec.groupBy[3]: `...` means every label",
        "17:14 spec.groupWait: `10` is not a length",
        "18:19 spec.repeatInterval: must be between 1s and 30d, is 0s",
        "19:16 spec.muteDuring[0]: there is no MaintenanceWindow `weekend`",
        "20:3 spec.inhibit: inhibitions hold for all routes",
        "23:7 spec.routes[1]: [warning] is never reached: `Bad Name/all` before it takes every alert",
        "24:14 spec.routes[2].name: the route `all` is there twice",
        "27:16 spec.tests[0].labels.a-b: `a-b` is not a label",
        "28:11 spec.tests[0].at: `yesterday` is not a time",
        "29:28 spec.tests[0].expect.receivers[0]: there is no Receiver `nobody`",
        "29:49 spec.tests[0].expect.escalation: there is no EscalationPolicy `p9`",
        "30:52 spec.tests[1].expect.onCall: who is on call depends on the time",
    ]
    assert found.root is not None
    assert [node.name for node in found.root.nodes()] == ["default", "watchdog", "record"]


def test_names_of_our_own_routes_are_taken_and_a_route_that_takes_everything_is_warned_of() -> None:
    found = routes(DEFAULT, of("Route", "record", "match: ['a=b']"), of("Route", "all", "receivers: [pager]"))
    assert shown(found.problems, hints=False) == [
        "11:18 metadata.name: `record` is the name of a route of Flyball's own",
        "18:1 spec: [warning] takes every alert: routes after it, and the default, are never reached",
    ]


def test_the_default_says_which_alerts_keep_which_others_quiet() -> None:
    spec = """\
default: true
receivers: [chat]
inhibit:
  - {source: ['alertname=DatabaseDown'], target: [service=~"api|web", 'severity!="page"'], equal: [region, region]}"""
    assert root(of("Route", "default", spec)).inhibitions == (
        Inhibition(('alertname="DatabaseDown"',), ('service=~"api|web"', 'severity!="page"'), ("region",)),
    )


def test_receivers_have_channels_whose_names_are_their_lanes() -> None:
    spec = """\
channels:
  - pagerduty: {routingKeyFrom: FLYBALL_PAGERDUTY_SRE}
    priorities: [P0, P1]
  - pagerduty: {routingKeyFrom: OTHER_KEY, url: "https://events.eu.pagerduty.com/"}
  - slack: {channel: "#ops"}
  - slack: {channel: "#ops", tokenFrom: SECOND_WORKSPACE}
  - email: {to: [b@example.com, a@example.com], from: flyball@example.com}
  - webhook: {url: "https://hooks.example.com/t/secret-path?x=1", secretFrom: HOOK}
  - console: {}
fallback:
  - email: {to: [oncall@example.com]}"""
    found = receivers_of(documents(of("Receiver", "sre", spec)))
    assert found.problems == ()
    (receiver,) = found.values
    assert [channel.name for channel in receiver.channels] == [
        "pagerduty:sre",
        "pagerduty:OTHER_KEY",
        "slack:#ops",
        "slack:#ops@SECOND_WORKSPACE",
        "email:a@example.com,b@example.com",
        "webhook:hooks.example.com-f4402fd8",
        "console:log",
    ]
    assert receiver.channels[0].priorities == {Priority.P0, Priority.P1}
    assert receiver.channels[2].priorities == frozenset(Priority)
    assert receiver.channels[1].settings == {"routingKeyFrom": "OTHER_KEY", "url": "https://events.eu.pagerduty.com"}
    assert receiver.channels[4].settings == {"to": "b@example.com,a@example.com", "from": "flyball@example.com"}
    assert [(each.kind, each.name) for each in receiver.fallback] == [(ChannelKind.EMAIL, "email:oncall@example.com")]


def test_many_addresses_make_a_name_of_bounded_length_that_is_still_theirs_alone() -> None:
    names = set()
    for last in ("x", "y"):
        to = ", ".join([f"somebody-{number}@example.com" for number in range(20)] + [f"{last}@example.com"])
        found = receivers_of(documents(of("Receiver", "all", f"channels: [{{email: {{to: [{to}]}}}}]")))
        names.add(found.values[0].channels[0].name)
    assert len(names) == 2
    assert {len(name) for name in names} == {100}


def test_every_mistake_of_a_receiver_is_told_and_secrets_are_hidden() -> None:
    spec = """\
channels:
  - {}
  - pagerduty: {routingKeyFrom: 0123456789abcdef0123456789abcdef}
  - pagerduty: {routingKeyFrom: KEY, routingKey: abc}
  - {slack: {channel: "#ops"}, console: {}}
  - email: {to: [Ann Larsen <ann@example.com>]}
  - webhook: {url: "https://user:secret@example.com", secretFrom: KEY}
  - webhook: {url: example.com, secretFrom: KEY}
  - slack: {channel: "#a"}
  - slack: {channel: "#a"}"""
    found = receivers_of(documents(of("Receiver", "sre", spec)))
    assert found.values == ()
    assert shown(found.problems, hints=False) == [
        "6:7 spec.channels[0]: no channel",
        "7:35 spec.channels[1].pagerduty.routingKeyFrom: not the name of an environment variable",
        "8:40 spec.channels[2].pagerduty.routingKey: a secret in plain text",
        "9:34 spec.channels[3].console: slack and console exclude each other",
        "10:20 spec.channels[4].email.to[0]: `Ann Larsen <ann@example.com>` is not an address",
        "11:22 spec.channels[5].webhook.url: credentials in the address",
        "12:22 spec.channels[6].webhook.url: not a web address",
        "14:7 spec.channels[8]: `slack:#a` is there twice",
    ]
    assert [problem.line for problem in found.problems if problem.rule == SECRET] == [7, 8, 11]
    assert not any("0123456789" in problem.message + problem.hint for problem in found.problems)


@pytest.mark.parametrize(
    "channel",
    [
        "pagerduty: {routingKey: 0123456789abcdef0123456789abcdef}",
        "webhook: {url: https://example.com, secret: whsec_0123456789abcdef}",
    ],
)
def test_a_secret_instead_of_its_variable_is_told_as_one(channel: str) -> None:
    found = receivers_of(documents(of("Receiver", "sre", f"channels: [{{{channel}}}]")))
    assert [(each.rule, each.message) for each in found.problems] == [(SECRET, "a secret in plain text")]
    assert "From" in found.problems[0].hint
    assert found.values == ()


def test_one_channel_is_told_in_one_way_by_all_receivers() -> None:
    first = of("Receiver", "a", 'channels: [{slack: {channel: "#ops"}}]')
    second = of("Receiver", "b", 'channels: [{slack: {channel: "#ops", url: "http://127.0.0.1:1/api"}}]')
    found = receivers_of(documents(f"{first}---\n{second}"))
    assert shown(found.problems) == [
        "11:14 spec.channels[0]: `slack:#ops` has another url than at alerts.yaml:5:14 (what is told on one channel is "
        "told in one way)"
    ]
