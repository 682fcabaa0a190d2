"""An event sub-process with several start events, as Flowable allows it, becomes one for each of them."""

from __future__ import annotations

from noria.design.bpmn.names import bpmn
from noria.design.bpmn.source import FLOW_NODES
from noria.design.importing.working import Work
from noria.design.xml import Node

_REFERENCES = ("sourceRef", "targetRef", "attachedToRef", "default", "activityRef")
_LISTED = frozenset({"incoming", "outgoing"})


def event_sub_process(work: Work, node: Node) -> None:
    """One with several start events, as Flowable allows it, becomes one for each of them.

    Each part keeps what its own start event leads to; what two share is there twice, under two ids.
    """
    parent = node.parent
    starts = list(node.elements(bpmn("startEvent")))
    if node.get("triggeredByEvent") not in ("true", "1") or parent is None or len(starts) < 2:
        return
    inner = [child for child in node.elements() if child.local in FLOW_NODES]
    parts = [_reached(node, start, inner) for start in starts]
    if {child.get("id") for child in inner} - set().union(*parts):
        # Something is reached by none of them: nobody can say to which it belongs.
        work.say(node, "import.many_starts")
        return
    taken: set[str] = set()
    copies = []
    for place, keys in enumerate(parts):
        renamed = {key: work.unique(key) for key in sorted(keys & taken)}
        if place:
            renamed[node.get("id")] = work.unique(node.get("id"))
        copies.append(_part(work, node, keys, renamed))
        taken |= keys
    index = next(position for position, child in enumerate(parent.children) if child is node)
    parent.children[index : index + 1] = copies
    for copy in copies:
        copy.parent = parent
    work.say(node, "import.split_starts", parts=", ".join(copy.get("id") for copy in copies))


def _reached(node: Node, start: Node, inner: list[Node]) -> set[str]:
    """Ids of the flow nodes that a start event leads to, boundary events and what follows them included."""
    flows = list(node.elements(bpmn("sequenceFlow")))
    found: set[str] = set()
    stack = [start.get("id")]
    while stack:
        key = stack.pop()
        if key in found:
            continue
        found.add(key)
        stack += [flow.get("targetRef") for flow in flows if flow.get("sourceRef") == key]
        stack += [child.get("id") for child in inner if child.get("attachedToRef") == key]
    return found


def _part(work: Work, node: Node, keys: set[str], renamed: dict[str, str]) -> Node:
    """A copy of the sub-process with these flow nodes and the flows between them."""

    def stays(child: Node) -> bool:
        if child.local in FLOW_NODES:
            return child.get("id") in keys
        return child.local != "sequenceFlow" or child.get("sourceRef") in keys

    kept = [child for child in node.elements() if stays(child)]
    for child in kept:
        if child.local == "sequenceFlow" and child.get("sourceRef") in renamed:
            renamed[child.get("id")] = work.unique(child.get("id"))
    copy = _copy(work, node, renamed, top=False)
    copy.children = [
        _copy(work, child, renamed) if isinstance(child, Node) else child
        for child in node.children
        if not isinstance(child, Node) or stays(child)
    ]
    for child in copy.elements():
        child.parent = copy
    return copy


def _copy(work: Work, node: Node, renamed: dict[str, str], *, top: bool = True) -> Node:
    """A deep copy (shallow with `top` false) with other ids."""
    copy = Node(node.namespace, node.local, node.prefix, node.line)
    copy.attributes = dict(node.attributes)
    copy.attribute_prefixes = dict(node.attribute_prefixes)
    copy.declarations = dict(node.declarations)
    if "id" in copy.attributes:
        key = copy.attributes["id"]
        copy.attributes["id"] = renamed.get(key, key)
    for name in _REFERENCES:
        if name in copy.attributes:
            copy.attributes[name] = renamed.get(copy.attributes[name], copy.attributes[name])
    if top:
        inside_renamed = node.get("id") in renamed
        for child in node.children:
            if isinstance(child, Node):
                if inside_renamed and child.get("id") and child.get("id") not in renamed:
                    renamed[child.get("id")] = work.unique(child.get("id"))
                twin = _copy(work, child, renamed)
                twin.parent = copy
                copy.children.append(twin)
            else:
                text = child.strip() if isinstance(child, str) and node.local in _LISTED else ""
                copy.children.append(renamed.get(text, text) if text else child)
    return copy
