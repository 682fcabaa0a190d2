"""Forms: references to them, and forms made of the fields that a model itself lists."""

from __future__ import annotations

import json
import re

from noria.design.bpmn.names import noria
from noria.design.importing.juel import has_expression
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

_TYPES: dict[str, dict[str, object]] = {
    "string": {"type": "textfield"},
    "": {"type": "textfield"},
    "long": {"type": "number", "decimalDigits": 0},
    "integer": {"type": "number", "decimalDigits": 0},
    "int": {"type": "number", "decimalDigits": 0},
    "double": {"type": "number"},
    "boolean": {"type": "checkbox"},
    "date": {"type": "datetime", "subtype": "date"},
    "enum": {"type": "select"},
}
_LIMITS = {"min": "min", "max": "max", "minlength": "minLength", "maxlength": "maxLength"}
_DEPLOYED = re.compile(r"camunda-forms:deployment:(?:.*/)?([^/]+)\.form")


def forms(work: Work, node: Node) -> None:
    """The form of a start event or of a user task."""
    _referenced(work, node)
    fields = []
    for found in work.take_elements(node, "formData"):
        fields += [_field(work, child) for child in found.node.elements() if child.local == "formField"]
        work.say(found, "import.form_business_key" if found.node.get("businessKey") else "import.form_fields")
    listed = work.take_elements(node, "formProperty")
    for found in listed:
        if found.node.get("readable") == "false":
            work.say(found, "import.form_unreadable")
            continue
        fields.append(_field(work, found.node))
        work.say(found, "import.form_fields")
    validates = work.take(node, "formFieldValidation")
    if validates is not None:
        code = "import.form_checked" if validates.value.lower() == "false" else "import.no_meaning"
        work.say(validates, code)
    if fields and not node.get(noria("form")):
        name = re.sub(r"\W+", "_", f"{_process(node)}_{node.get('id')}")
        work.forms[name] = {"type": "default", "id": name, "schemaVersion": 19, "components": fields}
        work.set(node, "form", name)


def _process(node: Node) -> str:
    around = node
    while around.parent is not None and around.local != "process":
        around = around.parent
    return around.get("id")


def _referenced(work: Work, node: Node) -> None:
    reference = work.take(node, "formRef")
    if reference is not None:
        if has_expression(reference.value):
            work.say(reference, "import.expression", reason="a form is named by a constant")
        else:
            work.set(node, "form", reference.value)
            work.say(reference, "import.form_reference", name=reference.value)
    for name in ("formRefBinding", "formRefVersion"):
        found = work.take(node, name)
        if found is not None:
            work.say(found, "import.no_meaning" if found.value in ("latest", "deployment") else "import.binding")
    key = work.take(node, "formKey")
    if key is not None:
        if match := _DEPLOYED.fullmatch(key.value):
            work.set(node, "form", match[1])
            work.say(key, "import.form_reference", name=match[1])
        else:
            work.say(key, "import.form_key")
    work.report(node, "import.unsupported", "formHandlerClass")


def _field(work: Work, node: Node) -> dict[str, object]:
    """A component of form-js for one field."""
    found = Found(node, f"form:{node.get('id')}", node.get("type"))
    kind = node.get("type").lower()
    component = dict(_TYPES.get(kind, _TYPES["string"]))
    if kind not in _TYPES:
        work.say(found, "import.form_type", kind=node.get("type"))
    label = node.get("label") or node.get("name") or node.get("id")
    key = node.get("variable") or node.get("id")
    component |= {"id": re.sub(r"\W+", "_", f"field_{node.get('id')}"), "key": key}
    component["dateLabel" if kind == "date" else "label"] = label
    default = node.get("defaultValue") or node.get("default") or node.get("expression")
    if has_expression(default):
        work.say(found._replace(value=default), "import.form_default")
    elif default:
        component["defaultValue"] = _default(kind, default)
    checks: dict[str, object] = {"required": True} if node.get("required") == "true" else {}
    if node.get("writable") == "false":
        component["readonly"] = True
    for child in node.elements():
        if child.local == "validation":
            for constraint in child.elements():
                _constraint(work, constraint, component, checks)
        elif child.local not in ("value", "properties"):
            work.say(Found(child, f"form:{child.local}", ""), "import.unknown_element")
    if kind == "enum":
        component["values"] = [
            {"value": child.get("id"), "label": child.get("name") or child.get("id")}
            for child in node.elements()
            if child.local == "value"
        ]
    if checks:
        component["validate"] = checks
    return component


def _default(kind: str, text: str) -> object:
    if kind in ("long", "integer", "int", "double"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text.lower() == "true" if kind == "boolean" else text


def _constraint(work: Work, node: Node, component: dict[str, object], checks: dict[str, object]) -> None:
    name, config = node.get("name"), node.get("config")
    found = Found(node, f"form:{name}", config)
    if name == "required":
        checks["required"] = config.lower() != "false"
    elif name == "readonly":
        component["readonly"] = config.lower() != "false"
    elif name in _LIMITS and re.fullmatch(r"-?\d+(\.\d+)?", config):
        checks[_LIMITS[name]] = json.loads(config)
    else:
        work.say(found, "import.form_constraint", name=name)
