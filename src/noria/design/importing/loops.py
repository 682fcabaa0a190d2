"""Multi-instance activities: what they run over, and what their instances see and give back."""

from __future__ import annotations

from noria.design.bpmn.names import bpmn, noria
from noria.design.importing.juel import has_expression
from noria.design.importing.said import NAME
from noria.design.importing.working import Found, Work
from noria.design.xml import Node


def multi_instance(work: Work, node: Node) -> None:
    """Collection, item, index, and gathered results."""
    collection = work.take(node, "collection")
    for found in work.take_elements(node, "collection"):
        work.say(found, "import.unsupported")
    if collection is not None:
        _collection(work, node, collection)
    item = work.take(node, "elementVariable")
    if item is not None:
        work.set(node, "item", item.value)
        work.say(item, "import.item")
    reference = node.first(bpmn("loopDataInputRef"))
    if reference is not None and reference.text.strip() and not node.get(noria("collection")):
        _reference(work, node, reference)
    index = work.take(node, "elementIndexVariable")
    if index is not None and node.parent is not None:
        work.add(node.parent, "input", source="= loopCounter - 1", target=index.value)
        work.say(index, "import.index")
    for attribute, names in (("saveBefore", ("asyncBefore", "async")), ("saveAfter", ("asyncAfter",))):
        save_point = work.take(node, *names)
        if save_point is not None:
            if save_point.is_true:
                work.set(node, attribute, "true")
            work.say(save_point, "import.save_point")
    work.report(node, "import.no_meaning", "exclusive")
    for found in work.take_elements(node, "failedJobRetryTimeCycle"):
        work.say(found, "import.retry_elsewhere")
    aggregations = work.take_elements(node, "variableAggregation")
    for found in aggregations:
        _aggregation(work, node, found, single=len(aggregations) == 1)


def _collection(work: Work, node: Node, found: Found) -> None:
    if has_expression(found.value):
        work.move(found, node, "collection", "import.collection")
    elif NAME.fullmatch(found.value):
        work.set(node, "collection", f"= {found.value}")
        work.say(found, "import.collection")
    else:
        work.say(found, "import.unsupported")


def _reference(work: Work, node: Node, reference: Node) -> None:
    """The vendors take BPMN's reference for the name of a variable, or for an expression."""
    text = reference.text.strip()
    found = Found(reference, "bpmn:loopDataInputRef", text)
    value = work.value(found._replace(value=text if has_expression(text) else f"${{{text}}}"))
    if value is None:
        return
    work.set(node, "collection", value)
    item = node.first(bpmn("inputDataItem"))
    if item is not None and not node.get(noria("item")):
        work.set(node, "item", item.get("name") or item.get("id"))
        work.remove(item)
    work.remove(reference)
    work.say(found, "import.collection")


def _aggregation(work: Work, node: Node, found: Found, *, single: bool) -> None:
    """Flowable gathers variables of the instances into a list of contexts."""
    target = found.node.get("target")
    entries = []
    for variable in found.node.elements():
        source, expression = variable.get("source"), variable.get("sourceExpression")
        name = variable.get("target") or source
        text = work.feel(found._replace(value=expression or f"${{{source}}}"))
        if variable.local != "variable" or not name or text is None:
            work.say(found, "import.unsupported")
            return
        entries.append(f"{name}: {text}")
    if not single or not target or not entries or found.node.get("targetExpression"):
        work.say(found, "import.unsupported")
        return
    work.set(node, "outputCollection", target)
    work.set(node, "outputItem", f"= {{{', '.join(entries)}}}")
    work.say(found, "import.aggregation", name=target)
