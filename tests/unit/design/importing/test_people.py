"""Who gets a task, until when, and who may start."""

from __future__ import annotations

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.feel import EvaluationContext, compile_expression, to_json
from noria.design.importing import import_bpmn

NOW_MS = 1_800_000_000_000


def task(attributes, inside=""):
    return Model(around(f'<userTask id="x" {attributes}>{inside}</userTask>'))


@pytest.mark.parametrize("vendor", ["camunda", "operaton", "flowable", "activiti"])
def test_assignment_is_read_from_every_vendor(vendor):
    model = task(f'{vendor}:assignee="${{boss}}" {vendor}:candidateGroups="sales, it" {vendor}:priority="70"')
    assert model.noria("x") == {"assignee": "= boss", "candidateGroups": "sales, it", "priority": "70"}
    assert set(model.codes()) == {"import.assignee", "import.candidates", "import.priority"}
    assert model.errors() == []


def test_a_prefix_that_is_bound_to_another_vendors_uri_does_not_deceive():
    text = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://activiti.org/bpmn"
      targetNamespace="t"><process id="p"><userTask id="x" camunda:assignee="kermit"/></process></definitions>"""
    imported = import_bpmn(text.encode(), "m.bpmn")
    assert [line.attribute for line in imported.lines if line.code == "import.assignee"] == ["activiti:assignee"]
    assert b"activiti" not in imported.document


def test_candidates_may_be_constants_and_expressions_mixed():
    assert task('camunda:candidateUsers="kermit, ${helper}"').noria("x") == {
        "candidateUsers": (
            '= flatten(["kermit", if helper instance of string then split(helper, "\\s*,\\s*") else helper])'
        )
    }


def in_parts(name: str) -> str:
    """A text with commas counts as several candidates."""
    return f'if {name} instance of string then split({name}, "\\s*,\\s*") else {name}'


def test_resource_roles_stand_beside_computed_candidates():
    roles = (
        "<potentialOwner><resourceAssignmentExpression><formalExpression>user(kermit), ${others}</formalExpression>"
        "</resourceAssignmentExpression></potentialOwner>"
    )
    model = task('camunda:candidateUsers="${helper}" camunda:candidateGroups="${teams}"', roles)
    assert model.noria("x") == {
        "candidateUsers": f'= flatten([{in_parts("helper")}, "kermit"])',
        "candidateGroups": f"= flatten([{in_parts('teams')}, {in_parts('others')}])",
    }


def test_resource_roles_of_bpmn_name_users_and_groups():
    role = (
        "<potentialOwner><resourceAssignmentExpression><formalExpression>user(kermit), group(sales), it"
        "</formalExpression></resourceAssignmentExpression></potentialOwner>"
        "<humanPerformer><resourceAssignmentExpression><formalExpression>${boss}"
        "</formalExpression></resourceAssignmentExpression></humanPerformer>"
    )
    model = task("", role)
    assert model.noria("x") == {"assignee": "= boss", "candidateUsers": "kermit", "candidateGroups": "sales,it"}
    assert model.errors() == []


def test_a_task_that_names_nobody_is_found_by_the_starter():
    model = task("")
    assert model.noria("x") == {"candidateUsers": "= [starter.id]"}
    assert model.codes("changed") == ["import.nobody"]


def test_a_task_in_a_named_lane_belongs_to_the_lane():
    lane = '<laneSet><lane id="l" name="sales"><flowNodeRef>x</flowNodeRef></lane></laneSet>'
    assert Model(lane + around('<userTask id="x"/>')).noria("x") == {}


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("PT2H", "PT2H"),
        ("${dateTime().plusDays(3).toDate()}", '= duration("P3D")'),
        ("${now().plusHours(2)}", '= duration("PT2H")'),
    ],
)
def test_a_due_date_counted_from_now_is_a_limit(written, due):
    assert task(f'camunda:assignee="a" camunda:dueDate="{written}"').noria("x")["dueIn"] == due


@pytest.mark.parametrize(
    "value",
    ["2027-01-16T08:00:00Z", "2027-01-16T16:00:00+08:00", "2027-01-16T16:00:00"],
)
def test_a_due_date_that_is_a_date_is_the_time_until_then(value):
    due = task('camunda:assignee="a" camunda:dueDate="${due}"').noria("x")["dueIn"]
    context = EvaluationContext(NOW_MS, "Asia/Shanghai")
    assert to_json(compile_expression(due[1:]).evaluate({"due": value}, context)) == "P1D"


def test_what_noria_has_no_place_for_is_reported():
    model = task(
        'camunda:assignee="a" camunda:followUpDate="${later}" flowable:category="c" flowable:taskIdVariableName="t"'
    )
    assert set(model.codes("needs_work")) == {"import.follow_up", "import.internal_id"}
    assert model.codes("changed") == ["import.only_informs"]


@pytest.mark.parametrize(("written", "within"), [("500", "100"), ("-3", "0"), ("9" * 5_000, "100")])
def test_a_priority_outside_the_range_is_brought_into_it(written, within):
    model = task(f'camunda:assignee="a" camunda:priority="{written}"')
    assert model.noria("x")["priority"] == within
    assert model.codes("changed") == ["import.priority_range"]


def test_groups_may_start_and_single_persons_need_work():
    model = Model(
        around('<task id="x"/>'),
        process='flowable:candidateStarterGroups="sales" camunda:candidateStarterUsers="kermit"',
    )
    assert model.noria("p") == {"starterGroups": "sales"}
    assert model.codes("needs_work") == ["import.starter_users"]


def test_the_initiators_variable_receives_the_starter():
    model = Model(
        '<startEvent id="s" camunda:initiator="who"/><userTask id="x" camunda:assignee="${who}"/>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="x"/>'
    )
    assert model.mappings("s") == [("output", {"source": "= starter.id", "target": "who"})]
    assert model.noria("x") == {"assignee": "= who"}
    assert model.errors() == []


@pytest.mark.parametrize(
    ("name", "title", "shown"),
    [
        ("Review ${customer}", '= string join(["Review ", string(customer)])', "Review …"),
        ("#{customer.name}", "= customer.name", "…"),
    ],
)
def test_a_name_with_expressions_is_computed_when_the_task_opens(name, title, shown):
    model = Model(around(f'<userTask id="x" camunda:assignee="li" name="{name}"/>'))
    assert (model.noria("x")["title"], model["x"].get("name")) == (title, shown)
    assert "import.name_expression" in model.codes("mapped")
    assert "import.name_computed" not in model.codes()
    assert model.errors() == []


def test_a_name_that_cannot_be_translated_is_shown_as_it_is_written():
    model = Model(around('<userTask id="x" camunda:assignee="li" name="Review ${bean.name(customer)}"/>'))
    assert ("title" in model.noria("x"), model["x"].get("name")) == (False, "Review ${bean.name(customer)}")
    assert model.codes("changed") == ["import.name_computed"]


def test_a_plain_name_stays_what_it_is():
    model = Model(around('<userTask id="x" camunda:assignee="li" name="Review"/>'))
    assert (model.noria("x"), model["x"].get("name")) == ({"assignee": "li"}, "Review")
