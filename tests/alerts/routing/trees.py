"""Random trees of routes, and labels of alerts that may fit them."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from alerts.routing.model import Matcher, MatchOperator, Route

NAMES = ("severity", "service", "team")
VALUES = ("page", "ticket", "api", "db")
EXPRESSIONS = ("page|ticket", "a.*", ".+", ".*", "", "db|", "[ap].*")

labels = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=3)
matchers = st.one_of(
    st.builds(
        Matcher,
        st.sampled_from(NAMES),
        st.sampled_from([MatchOperator.EQUAL, MatchOperator.NOT_EQUAL]),
        st.sampled_from((*VALUES, "")),
    ),
    st.builds(
        Matcher,
        st.sampled_from(NAMES),
        st.sampled_from([MatchOperator.MATCHES, MatchOperator.DOES_NOT_MATCH]),
        st.sampled_from(EXPRESSIONS),
    ),
)
_lengths = st.one_of(st.none(), st.integers(1, 90).map(lambda seconds: timedelta(seconds=seconds)))
_leaves = st.builds(
    Route,
    name=st.just(""),
    matchers=st.lists(matchers, max_size=2).map(tuple),
    goes_on=st.booleans(),
    group_by=st.one_of(st.none(), st.lists(st.sampled_from(NAMES), unique=True, max_size=3).map(tuple)),
    group_interval=_lengths,
)
_nodes = st.recursive(
    _leaves,
    lambda inner: st.builds(
        lambda leaf, routes: replace(leaf, routes=tuple(routes)), _leaves, st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)


def _named(route: Route, name: str) -> Route:
    children = (_named(child, f"{name}/r{number}") for number, child in enumerate(route.routes))
    return replace(route, name=name, routes=tuple(children))


roots = st.lists(_nodes, max_size=4).map(
    lambda routes: Route(
        name="default",
        receivers=("chat",),
        routes=tuple(_named(route, f"r{number}") for number, route in enumerate(routes)),
    )
)
