"""Parameters of elements, and what goes into called processes and comes back."""

from __future__ import annotations

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.bpmn.names import noria


def parameters(inside):
    return Model(
        around(
            '<userTask id="x" camunda:assignee="a"><extensionElements><camunda:inputOutput>'
            f"{inside}</camunda:inputOutput></extensionElements></userTask>"
        )
    )


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("constant", "constant"),
        ("=not feel", '= "=not feel"'),
        ("${amount}", "= amount"),
        (
            "<camunda:list><camunda:value>a</camunda:value><camunda:value>${b}</camunda:value></camunda:list>",
            '= ["a", b]',
        ),
        (
            (
                '<camunda:map><camunda:entry key="k">${v}</camunda:entry>'
                '<camunda:entry key="l"><camunda:list/></camunda:entry></camunda:map>'
            ),
            '= {"k": v, "l": []}',
        ),
        ('<camunda:script scriptFormat="groovy">amount</camunda:script>', "= amount"),
        ("", "= null"),
    ],
)
def test_an_input_parameter_is_a_mapping(value, source):
    model = parameters(f'<camunda:inputParameter name="n">{value}</camunda:inputParameter>')
    assert model.mappings("x") == [("input", {"source": source, "target": "n"})]
    assert model.errors() == []


def test_an_output_parameter_is_a_mapping():
    model = parameters('<camunda:outputParameter name="n">${result.code}</camunda:outputParameter>')
    assert model.mappings("x") == [("output", {"source": "= result.code", "target": "n"})]


def test_beside_its_outputs_an_element_gives_away_what_it_brings():
    model = parameters('<camunda:outputParameter name="n">1</camunda:outputParameter>')
    assert (model.noria("x")["passOn"], model.codes("changed")) == ("true", [])
    held = "<camunda:inputOutput><camunda:inputParameter name='n'>1</camunda:inputParameter></camunda:inputOutput>"
    inside = '<startEvent id="a"/><endEvent id="b"/><sequenceFlow id="c" sourceRef="a" targetRef="b"/>'
    sub_process = f'<subProcess id="x"><extensionElements>{held}</extensionElements>{inside}</subProcess>'
    assert "passOn" not in Model(around(sub_process)).noria("x")
    assert Model(around(sub_process.replace("inputParameter", "outputParameter"))).noria("x")["passOn"] == "true"


def test_a_parameter_that_is_a_program_needs_work():
    model = parameters(
        '<camunda:inputParameter name="n"><camunda:script scriptFormat="groovy">list.add(1)</camunda:script>'
        "</camunda:inputParameter>"
    )
    assert model.codes("needs_work") == ["import.script_language"]
    assert model.mappings("x") == []


def call(attributes="", inside=""):
    """A call, without what Camunda says of its errors; that is tested by itself."""
    model = Model(
        around(
            f'<callActivity id="x" calledElement="q" {attributes}><extensionElements>{inside}</extensionElements>'
            f"</callActivity>"
        )
    )
    del model["x"].attributes[noria("whenUncaught")]
    return model


def passing(attributes="", inside=""):
    """What passes by a call without a business key."""
    found = call(attributes, inside).noria("x")
    assert found.pop("businessKey") == "= null"
    return found


def test_without_mappings_nothing_passes_in_either_direction():
    assert passing() == {"propagateIn": "false", "propagateOut": "false"}


def test_all_variables_pass_when_it_is_said():
    assert passing(inside='<camunda:in variables="all"/><camunda:out variables="all"/>') == {}
    assert passing('flowable:inheritVariables="true"') == {"propagateOut": "false"}


def test_single_variables_and_expressions_pass():
    model = call(
        inside='<camunda:in source="a" target="b"/><camunda:in sourceExpression="${a.c}" target="c"/>'
        '<camunda:out source="d" target="e"/><camunda:in businessKey="#{execution.processBusinessKey}"/>'
    )
    assert model.mappings("x") == [
        ("input", {"source": "= a", "target": "b"}),
        ("input", {"source": "= a.c", "target": "c"}),
        ("output", {"source": "= d", "target": "e"}),
    ]
    assert model.noria("x") == {
        "businessKey": "= business_key",
        "propagateIn": "false",
        "propagateOut": "false",
        "passOn": "true",
    }


def both(name, value):
    return f'<camunda:{name} name="{value}">${{{value}}}</camunda:{name}>'


def test_inputs_of_a_call_are_there_for_what_is_passed_and_what_comes_back_for_its_outputs():
    model = call(
        inside='<camunda:in source="k" target="in"/><camunda:out source="out" target="r"/><camunda:inputOutput>'
        f"{both('outputParameter', 'r')}{both('inputParameter', 'k')}</camunda:inputOutput>"
    )
    assert [(local, item["target"]) for local, item in model.mappings("x")] == [
        ("input", "k"),
        ("input", "in"),
        ("output", "r"),
        ("output", "r"),
    ]
    assert model.codes("changed") == ["import.input_called"]


def test_all_variables_that_come_back_do_so_beside_those_with_other_names():
    inside = '<camunda:out variables="all"/><camunda:out source="a" target="b"/>'
    assert passing(inside=inside) == {"propagateIn": "false", "passOn": "true"}
    assert call(inside=inside).codes("needs_work") == []


def test_all_local_variables_of_a_call_are_its_inputs_and_come_back_to_its_outputs_alone():
    inside = '<camunda:in variables="all" local="true"/><camunda:out variables="all" local="true"/>'
    assert passing(inside=inside) == {"propagateIn": "false", "propagateOut": "false"}
    mapped = f"<camunda:inputOutput>{both('inputParameter', 'k')}{both('outputParameter', 'r')}</camunda:inputOutput>"
    assert passing(inside=inside + mapped) == {"propagateIn": "false", "propagateOut": "false", "passOn": "true"}
    assert call(inside=inside + mapped).codes("changed") == []


@pytest.mark.parametrize(
    ("attributes", "binding"),
    [
        ('camunda:calledElementBinding="deployment"', {"binding": "deployment"}),
        (
            'camunda:calledElementBinding="version" camunda:calledElementVersion="3"',
            {"binding": "version", "version": "3"},
        ),
        ('flowable:sameDeployment="true"', {"binding": "deployment"}),
    ],
)
def test_which_version_is_called(attributes, binding):
    found = call(attributes).noria("x")
    assert {name: found[name] for name in binding} == binding


@pytest.mark.parametrize(
    "attributes",
    ['camunda:variableMappingClass="a.B"', 'camunda:calledElementVersionTag="v1"', 'flowable:calledElementType="id"'],
)
def test_what_cannot_be_called_so_needs_work(attributes):
    assert len(call(attributes).codes("needs_work")) == 1


def test_the_called_process_may_be_computed():
    model = Model(around('<callActivity id="x" calledElement="${which}"/>'))
    assert model["x"].get("calledElement") == "= which"
    assert model.errors() == []
