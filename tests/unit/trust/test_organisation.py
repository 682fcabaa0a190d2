"""Who manages whom, who is found by role, position and unit, and how the history of it all is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.kernel.instants import DAY_MS
from noria.trust.history import Change, History, fields_of
from noria.trust.people import Acting, Line, Organisation, Person, Post, Unit

UNITS = (
    Unit("works", "澄海制造", "", "zhao"),
    Unit("buying", "采购部", "works", "wang"),
    Unit("metal", "金属采购组", "buying", "ma"),
    Unit("quality", "质检部", "works", "gao"),
)
PEOPLE = (
    Person("zhao", "zhao", "赵总", "works", roles=("general_manager",)),
    Person("wang", "wang", "王强", "buying", position="head"),
    Person("ma", "ma", "马工", "metal", position="buyer"),
    Person("lin", "lin", "林晓", "metal", position="buyer", posts=(Post("quality", "auditor"),)),
    Person("gao", "gao", "高工", "quality", roles=("inspector",)),
    Person("gone", "gone", "离职", "metal", active=False, roles=("inspector",), position="buyer"),
)


def company(people: Iterable[Person] = PEOPLE, units: Iterable[Unit] = UNITS, at_ms: int = 0) -> Organisation:
    return Organisation({person.id: person for person in people}, {unit.id: unit for unit in units}, at_ms)


def changed(members: Iterable[Any], **changes: Any) -> list[Any]:
    """The same members, some of them with other fields: id=dict(field=value)."""
    return [type(member)(**{**_plain(member), **changes.get(member.id, {})}) for member in members]


def _plain(member: Any) -> dict[str, Any]:
    return {name: getattr(member, name) for name in member.__struct_fields__}


# Managers


def test_the_line_of_managers_goes_up_the_tree_and_passes_over_what_one_manages_oneself() -> None:
    assert company().managers("lin") == ("ma", "wang", "zhao")
    assert company().managers("ma") == ("wang", "zhao")
    assert company().managers("zhao") == ()


def test_each_post_has_its_own_line() -> None:
    assert company().managers("lin", "quality") == ("gao", "zhao")


def test_who_manages_two_units_of_a_line_counts_once() -> None:
    assert company(units=changed(UNITS, metal={"manager": "wang"})).managers("lin") == ("wang", "zhao")


def test_a_manager_who_has_left_is_passed_over() -> None:
    assert company(changed(PEOPLE, ma={"active": False})).managers("lin") == ("wang", "zhao")


def test_an_acting_manager_counts_in_the_period_only() -> None:
    units = changed(UNITS, buying={"acting": (Acting("gao", DAY_MS, 3 * DAY_MS),)})
    lines = [company(units=units, at_ms=day * DAY_MS).managers("lin") for day in range(4)]
    assert lines == [("ma", "wang", "zhao"), ("ma", "gao", "zhao"), ("ma", "gao", "zhao"), ("ma", "wang", "zhao")]


def test_who_acts_for_a_manager_does_not_manage_that_manager() -> None:
    units = changed(UNITS, buying={"acting": (Acting("lin"),)})
    assert company(units=units).managers("wang") == ("zhao",)
    assert company(units=units).managers("lin") == ("ma", "zhao")


def test_an_acting_manager_who_has_left_does_not_act() -> None:
    assert company(units=changed(UNITS, buying={"acting": (Acting("gone"),)})).managers("ma") == ("wang", "zhao")


def test_a_second_manager_is_the_persons_own_or_that_of_the_nearest_unit() -> None:
    units = changed(UNITS, works={"lines": (Line("quality", "gao"),)})
    people = changed(PEOPLE, ma={"lines": (Line("quality", "zhao"),)})
    organisation = company(people, units)
    assert [organisation.second_manager(key, "quality") for key in ("ma", "lin", "gao")] == ["zhao", "gao", ""]
    assert organisation.second_manager("lin", "project") == ""


def test_a_tree_with_a_loop_in_it_still_ends() -> None:
    units = changed(UNITS, works={"parent": "metal"})
    assert company(units=units).managers("lin") == ("ma", "wang", "zhao")
    assert company(units=units).below(["buying"]) == {"works", "buying", "metal", "quality"}


# Roles, positions, members


def test_holders_are_those_of_the_unit_or_of_the_nearest_unit_above_that_has_any() -> None:
    organisation = company()
    assert organisation.with_position("buyer") == ("lin", "ma")
    assert organisation.with_position("head", "metal") == ("wang",)
    assert organisation.with_position("auditor", "quality") == ("lin",)
    assert organisation.with_position("buyer", "quality") == ()
    assert organisation.with_role("general_manager", "metal") == ("zhao",)


def test_a_position_counts_in_the_unit_of_its_post_only() -> None:
    assert company().with_position("auditor", "metal") == ()


def test_nobody_inactive_is_found() -> None:
    assert company().with_role("inspector") == ("gao",)
    assert "gone" not in company().members("works")
    assert company().second_manager("gone", "quality") == ""


def test_members_are_those_with_any_post_in_the_unit_or_below() -> None:
    assert company().members("buying") == ("lin", "ma", "wang")
    assert company().members("quality") == ("gao", "lin")


def test_groups_are_roles_positions_and_the_units_of_every_post() -> None:
    organisation = company()
    groups = organisation.groups_of(organisation.people["lin"])
    assert set(groups) >= {"buyer", "auditor", "metal", "buying", "works", "quality", "质检部"}


def test_an_acting_manager_and_the_manager_both_manage_the_unit() -> None:
    organisation = company(units=changed(UNITS, buying={"acting": (Acting("gao"),)}))
    assert organisation.managed_units("gao") == ("buying", "metal", "quality")
    assert organisation.managed_units("wang") == ("buying", "metal")


# History


def history(*members: Person | Unit) -> History:
    return History({}, ()).with_members(members or (*UNITS, *PEOPLE), 0, 0)


def test_a_change_that_is_entered_ahead_takes_effect_by_its_date() -> None:
    moved = changed(PEOPLE, lin={"unit": "quality"})[3]
    later = history().with_members([moved], 5 * DAY_MS, 0)
    assert later.at(5 * DAY_MS - 1).people["lin"].unit == "metal"
    assert later.at(5 * DAY_MS).people["lin"].unit == "quality"
    assert later.until(later.at(0)) == 5 * DAY_MS


def test_a_change_of_today_does_not_undo_what_is_entered_ahead_nor_the_other_way_round() -> None:
    moved, mailed = changed(PEOPLE, lin={"unit": "quality"})[3], changed(PEOPLE, lin={"email": "lin@example.test"})[3]
    for first, second in (((moved, 9), (mailed, 2)), ((mailed, 2), (moved, 9))):
        later = history().with_members([first[0]], first[1], 0)
        given_second = (
            later.at(second[1]).people["lin"]
            if second[0] is mailed
            else changed([later.at(9).people["lin"]], lin={"unit": "quality"})[0]
        )
        second_value = changed([given_second], lin={"email": "lin@example.test"})[0]
        later = later.with_members([second_value], second[1], 0)
        assert (later.at(5).people["lin"].unit, later.at(5).people["lin"].email) == ("metal", "lin@example.test")
        assert (later.at(9).people["lin"].unit, later.at(9).people["lin"].email) == ("quality", "lin@example.test")


def test_somebody_is_not_there_before_they_begin() -> None:
    later = history().with_members([Person("neu", "neu", "新人", "metal")], 7, 0)
    assert "neu" not in later.at(6).people
    assert later.at(7).people["neu"].name == "新人"


def test_begin_and_end_of_acting_are_instants_at_which_the_organisation_changes() -> None:
    known = history(Unit("works", "澄海制造", acting=(Acting("zhao", 10, 20),)))
    assert [known.until(known.at(at_ms)) for at_ms in (0, 10)] == [10, 20]


def test_what_would_be_wrong_at_a_later_change_is_refused_now() -> None:
    # From day 9 on the unit is gone; nobody can be put into it for good today.
    known = history(Unit("works", "澄海制造"), Unit("old", "旧部门"))
    known = known.with_members([Unit("old", "旧部门", active=False)], 9, 0)
    wrong = known.with_members([Person("lin", "lin", "林晓", "old")], 2, 0).wrong_from(2, [("person", "lin")])
    assert wrong is not None
    assert wrong.code == "unit.inactive"


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (Person("x y", "x", "X"), "person.bad_id"),
        (Person("x", "x", " "), "person.incomplete"),
        (Person("x", "x", "X", "nowhere"), "unit.not_found"),
        (Person("x", "x", "X", posts=(Post("nowhere"),)), "unit.not_found"),
        (Person("x", "x", "X", lines=(Line("quality", "nobody"),)), "person.not_found"),
        (Person("x", "x", "X", "works", roles=("auditor", "sysadmin"), posts=(Post("metal"),)), "roles.exclusive"),
        (Unit("x y", "X"), "unit.bad_id"),
        (Unit("x", " "), "unit.incomplete"),
        (Unit("x", "X", "nowhere"), "unit.not_found"),
        (Unit("x", "X", "x"), "unit.cycle"),
        (Unit("works", "澄海制造", "metal"), "unit.cycle"),
        (Unit("x", "X", manager="nobody"), "person.not_found"),
        (Unit("x", "X", acting=(Acting("nobody"),)), "person.not_found"),
        (Unit("x", "X", acting=(Acting("lin", 5, 5),)), "period.empty"),
        (Unit("metal", "金属采购组", active=False), "unit.in_use"),
        (Unit("works", "澄海制造", active=False), "unit.in_use"),
    ],
)
def test_what_is_not_sound_is_refused_by_name(member: Person | Unit, code: str) -> None:
    kind = "person" if isinstance(member, Person) else "unit"
    wrong = history().with_members([member], 1, 1).wrong_from(1, [(kind, member.id)])
    assert wrong is not None
    assert wrong.code == code


_FIELDS = st.fixed_dictionaries({}, optional={"unit": st.sampled_from("abc"), "email": st.sampled_from("xyz")})


@given(st.dictionaries(st.integers(1, 9), _FIELDS, max_size=5), st.integers(0, 10))
def test_at_every_instant_each_field_has_the_value_of_its_last_change(
    changes: dict[int, dict[str, object]], at_ms: int
) -> None:
    first = fields_of(Person("lin", "lin", "林晓", "start", "start"))
    known = History({"lin": "lin"}, [Change("person", "lin", since, fields, 0) for since, fields in changes.items()])
    known = History({"lin": "lin"}, [*known.changes.get(("person", "lin"), []), Change("person", "lin", 0, first, 0)])
    for field in ("unit", "email"):
        said = [fields[field] for since, fields in sorted(changes.items()) if since <= at_ms and field in fields]
        assert getattr(known.at(at_ms).people["lin"], field) == (said[-1] if said else "start")
