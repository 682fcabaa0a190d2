"""Forms that a model lists field by field, and forms that it names."""

from __future__ import annotations

import json

from tests.unit.design.importing.models import Model

from noria.design.forms import read_form


def start(extensions, attributes=""):
    return Model(
        f'<startEvent id="s" {attributes}><extensionElements>{extensions}</extensionElements></startEvent>'
        f'<endEvent id="e"/>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="e"/>'
    )


def components(model):
    ((name, content),) = model.imported.forms.items()
    form, findings = read_form(content, name)
    assert form is not None, findings
    assert model.noria("s")["form"] == name.removesuffix(".form") == form.id
    return {field["key"]: field for field in json.loads(content)["components"]}


def test_form_fields_of_camunda_are_a_form():
    model = start(
        "<camunda:formData>"
        '<camunda:formField id="title" label="Title" type="string" defaultValue="none"><camunda:validation>'
        '<camunda:constraint name="required"/><camunda:constraint name="maxlength" config="80"/></camunda:validation>'
        "</camunda:formField>"
        '<camunda:formField id="amount" type="long" defaultValue="5"><camunda:validation>'
        '<camunda:constraint name="min" config="1"/></camunda:validation></camunda:formField>'
        '<camunda:formField id="urgent" type="boolean"/><camunda:formField id="day" label="Day" type="date"/>'
        '<camunda:formField id="kind" type="enum"><camunda:value id="a" name="A"/><camunda:value id="b"/>'
        "</camunda:formField></camunda:formData>"
    )
    fields = components(model)
    assert fields["title"]["validate"] == {"required": True, "maxLength": 80}
    assert fields["amount"] == {
        "type": "number",
        "decimalDigits": 0,
        "id": "field_amount",
        "key": "amount",
        "label": "amount",
        "defaultValue": 5,
        "validate": {"min": 1},
    }
    assert (fields["urgent"]["type"], fields["day"]["subtype"]) == ("checkbox", "date")
    assert fields["kind"]["values"] == [{"value": "a", "label": "A"}, {"value": "b", "label": "b"}]
    assert model.codes() == ["import.form_fields"]
    assert model.errors() == []


def test_form_properties_of_flowable_are_a_form():
    model = start(
        '<flowable:formProperty id="room" name="Room" variable="room_number" type="long" required="true"/>'
        '<flowable:formProperty id="note" writable="false"/><flowable:formProperty id="secret" readable="false"/>'
    )
    fields = components(model)
    assert set(fields) == {"room_number", "note"}
    assert fields["room_number"]["label"] == "Room"
    assert fields["note"]["readonly"] is True
    assert "import.form_unreadable" in model.codes("changed")


def test_what_a_form_cannot_say_needs_work():
    model = start(
        '<camunda:formData><camunda:formField id="a" type="money" defaultValue="${x}"><camunda:validation>'
        '<camunda:constraint name="validator" config="a.B"/></camunda:validation></camunda:formField>'
        "</camunda:formData>"
    )
    assert set(model.codes("needs_work")) == {"import.form_type", "import.form_default", "import.form_constraint"}


def test_a_form_beside_the_model_is_named():
    assert start("", 'camunda:formRef="leave" camunda:formRefBinding="latest"').noria("s") == {"form": "leave"}
    assert start("", 'camunda:formKey="camunda-forms:deployment:forms/leave.form"').noria("s") == {"form": "leave"}


def test_a_page_of_another_product_needs_work():
    model = start("", 'camunda:formKey="embedded:app:forms/leave.html"')
    assert model.codes("needs_work") == ["import.form_key"]
    assert model.errors() == []
