"""Skip expressions of Flowable and Activiti: they count when a variable of the instance turns skipping on."""

from __future__ import annotations

from noria.design.bpmn.names import bpmn
from noria.design.importing import structure
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

_ENABLED = " or ".join(
    f"{name} = true" for name in ("_FLOWABLE_SKIP_EXPRESSION_ENABLED", "_ACTIVITI_SKIP_EXPRESSION_ENABLED")
)


def flow(work: Work, node: Node) -> None:
    """Of a flow: it stands in for the condition."""
    found = work.take(node, "skipExpression")
    skip = _condition(work, found)
    if found is None or skip is None:
        return
    condition = node.first(bpmn("conditionExpression"))
    if condition is None:
        condition = work.append(node, work.new(node, "conditionExpression"))
        before = "true"
    else:
        before = condition.text.strip()
    work.set_text(condition, f"if {_ENABLED} then {skip} else {before}")
    work.say(found, "import.skip_flow")


def activity(work: Work, node: Node) -> None:
    """Of an activity: a gateway before it leads past it, to a task that does nothing and has its outgoing flows."""
    found = work.take(node, "skipExpression")
    parent = node.parent
    skip = _condition(work, found)
    if found is None or skip is None or parent is None:
        return
    key = node.get("id")
    flows = list(parent.elements(bpmn("sequenceFlow")))
    if not any(item.get("targetRef") == key for item in flows):
        work.say(found, "import.unsupported")
        return
    gateway, after = (work.append(parent, work.new(node, local)) for local in ("exclusiveGateway", "task"))
    gateway.attributes["id"] = work.unique(f"skip_{key}")
    after.attributes["id"] = work.unique(f"after_{key}")
    if node.get("default"):
        after.attributes["default"] = node.attributes.pop("default")
    for item in flows:
        if item.get("targetRef") == key:
            item.attributes["targetRef"] = gateway.get("id")
        if item.get("sourceRef") == key:
            item.attributes["sourceRef"] = after.get("id")
    for listed in [*node.elements(bpmn("incoming")), *node.elements(bpmn("outgoing"))]:
        work.remove(listed)
    gateway.attributes["default"] = structure.connect(work, gateway, node)
    past = structure.connect(work, gateway, after)
    condition = work.append(work.by_id(past), work.new(node, "conditionExpression"))
    work.set_text(condition, f"({_ENABLED}) and ({skip})")
    structure.connect(work, node, after)
    work.say(found, "import.skip_activity", name=gateway.get("id"))


def _condition(work: Work, found: Found | None) -> str | None:
    translated = work.translate(found, condition=True) if found is not None else None
    return translated.text if translated is not None else None
