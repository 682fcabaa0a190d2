"""Ways of acting for somebody (代理), for any set of substitutions: bounded, without a cycle, within every limit."""

from __future__ import annotations

from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from noria.trust.policy import Permission, Principal, StandsFor, TaskFacts, may_work_on
from noria.trust.substitutes import CHAIN_MAX, Substitution, Way, ways

PEOPLE = ("ann", "bo", "cy", "di", "ed")
NOW_MS = 100


@st.composite
def substitutions(draw: st.DrawFn) -> Substitution:
    principal, substitute = draw(st.sampled_from(list(permutations(PEOPLE, 2))))
    since, until = draw(st.sampled_from([(0, 200), (0, 50), (150, 200)]))
    return Substitution(
        "",
        principal,
        substitute,
        since,
        until,
        draw(st.sampled_from([(), ("buy",), ("sell",), ("buy", "sell")])),
        draw(st.sampled_from([None, 10.0, 20.0])),
        ended_ms=draw(st.sampled_from([0, 0, 0, 60])),
        passes_on=draw(st.booleans()),
    )


SETS = st.lists(substitutions(), max_size=7)


@given(SETS)
def test_nobody_is_twice_on_a_way_and_no_way_is_too_long(items: list[Substitution]) -> None:
    for way in ways(items, NOW_MS):
        people = (way.principal, *way.via, way.substitute)
        assert len(set(people)) == len(people) == len(way.links) + 1
        assert len(way.links) <= CHAIN_MAX


@given(SETS)
def test_a_way_leads_on_only_where_each_principal_allows_it_and_all_of_it_holds(items: list[Substitution]) -> None:
    for way in ways(items, NOW_MS):
        assert all(link.passes_on for link in way.links[:-1])
        assert all(before.substitute == after.principal for before, after in pairwise(way.links))
        assert len(way.links) == 1 or all(link.holds(NOW_MS) for link in way.links)


@given(SETS)
def test_every_way_that_there_is_is_found_once(items: list[Substitution]) -> None:
    def onward(links: tuple[Substitution, ...]) -> list[tuple[Substitution, ...]]:
        found = [links]
        people = {links[0].principal, *(link.substitute for link in links)}
        if links[-1].passes_on and links[-1].holds(NOW_MS) and len(links) < CHAIN_MAX:
            for item in items:
                if item.principal == links[-1].substitute and item.substitute not in people and item.holds(NOW_MS):
                    found += onward((*links, item))
        return found

    wanted = [links for item in items for links in onward((item,))]
    found = [way.links for way in ways(items, NOW_MS)]
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))
    assert [len(links) for links in found] == sorted(len(links) for links in found)


@given(SETS, st.sampled_from(["buy", "sell", "other"]), st.sampled_from([None, 5.0, 15.0, 25.0]))
def test_a_way_is_about_no_more_than_each_of_its_substitutions(
    items: list[Substitution], process: str, amount: float | None
) -> None:
    for way in ways(items, NOW_MS):
        assert way.about(process) is all(link.about(process) for link in way.links)
        assert way.within(amount) is all(link.within(amount) for link in way.links)


@given(SETS, st.sampled_from(PEOPLE), st.sets(st.sampled_from(PEOPLE), max_size=2), st.sampled_from(PEOPLE))
def test_who_acts_and_everybody_on_the_way_is_tested(
    items: list[Substitution], starter: str, excluded: set[str], actor: str
) -> None:
    found = [way for way in ways(items, NOW_MS) if way.substitute == actor]
    stands = tuple(StandsFor(way.principal, via=way.via) for way in found)
    who = Principal(actor, 1, frozenset({Permission.WORK}), stands_for=stands)
    for holder in PEOPLE:
        task = TaskFacts(holder, (), (), tuple(excluded), starter)
        verdict = may_work_on(who, task)
        if holder == actor:
            assert (verdict.allowed, verdict.via) == (True, ())
            continue
        clean = [way for way in found if way.principal == holder and _is_clean(way, starter, excluded)]
        assert verdict.allowed is bool(clean)
        if clean:
            assert (verdict.owner, verdict.via) == (holder, clean[0].via)


def _is_clean(way: Way, starter: str, excluded: set[str]) -> bool:
    """Whether nobody who acts has started the request, and nobody on the way is kept from the task."""
    acting = {way.substitute, *way.via}
    return starter not in acting and excluded.isdisjoint({*acting, way.principal})
