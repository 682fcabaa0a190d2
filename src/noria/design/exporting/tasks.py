"""People, approvals, jobs and loops in the standard's own words, as far as it has any."""

from __future__ import annotations

import re

from noria.design.bpmn.names import bpmn
from noria.design.bpmn.vocabulary import VOCABULARY
from noria.design.exporting.writing import Writing
from noria.design.importing.said import quoted
from noria.design.xml import Node

_OURS = re.compile(r"\b(?:starter|people|facts|business_key)\b")
"""What every expression may ask of Noria."""
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_LOOPS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")


def feel(value: str) -> str:
    """A value of one of Noria's attributes as FEEL: what stands behind ``=``, or the constant as a literal."""
    return value[1:].strip() if value.startswith("=") else quoted(value)


def feel_list(value: str) -> str:
    """A value that names several: a comma list is a list of literals."""
    if value.startswith("=") or "," not in value:
        return feel(value)
    return f"[{', '.join(quoted(name.strip()) for name in value.split(',') if name.strip())}]"


def user_task(writing: Writing, node: Node, group: str) -> None:
    """Who does it: performer, potential owners, or one instance for each approver.

    Args:
        writing: the file.
        node: the task.
        group: whose it is when it names nobody, as a lane around it says by a word of Noria's; "" for nobody.
    """
    mode = writing.take(node, "approval")
    if not mode:
        # Without an approval nobody is asked by them.
        writing.describe(node, "approvers")
    approvers = writing.take(node, "approvers")
    if "," in approvers:
        approvers = f"= {feel_list(approvers)}"
    assignee = writing.take(node, "assignee")
    if mode:
        writing.remark(node, "noria:approval", mode, VOCABULARY["approval"].meaning)
        looped = any(node.first(bpmn(local)) is not None for local in _LOOPS)
        if approvers.startswith("=") and mode != "vote" and not looped:
            _instances(writing, node, mode, feel(approvers))
            assignee = ""
        elif approvers.startswith("="):
            _role(writing, node, "potentialOwner", feel(approvers), "noria:approvers")
            writing.say(node, "export.no_rule", mode=mode, value=feel(approvers))
            assignee = ""
        else:
            assignee = approvers or assignee
            writing.say(node, "export.single")
    if assignee:
        name = "noria:approvers" if approvers else "noria:assignee"
        _role(writing, node, "humanPerformer", feel(assignee), name)
        writing.say(node, "export.performer", attribute=name, value=feel(assignee))
    candidates = {name: value for name in ("candidateGroups", "candidateUsers") if (value := writing.take(node, name))}
    roles = any(node.first(bpmn(local)) is not None for local in ("humanPerformer", "potentialOwner"))
    if group and not candidates and not roles:
        candidates = {"group": group}
    for at, (name, value) in enumerate(candidates.items()):
        # What stood there before does not count beside Noria's attributes; what the first has written does.
        _role(writing, node, "potentialOwner", feel_list(value), f"noria:{name}", beside=at > 0)
        writing.say(node, "export.owners", attribute=f"noria:{name}", value=feel_list(value))


def _instances(writing: Writing, node: Node, mode: str, people: str) -> None:
    """One instance for each approver, who performs it.

    `loopCounter` and `numberOfCompletedInstances` are attributes of the standard's own (BPMN 2.0.2, table 10.31).
    """
    person = f"({people})[loopCounter]"
    if "person" in people:
        # An approver may be a context with the person and a weight.
        person = f"(for one in {people} return if one instance of string then one else one.person)[loopCounter]"
    _role(writing, node, "humanPerformer", person, "noria:approvers")
    marker = writing.new(node, "multiInstanceLoopCharacteristics")
    marker.attributes = {"isSequential": "true" if mode == "inTurn" else "false"}
    writing.append(marker, writing.new(node, "loopCardinality", f"count({people})"))
    if mode == "anyOf":
        writing.append(marker, writing.new(node, "completionCondition", "numberOfCompletedInstances >= 1"))
    writing.insert(node, marker)
    writing.say(node, "export.first_decides" if mode == "anyOf" else "export.instances", mode=mode, value=people)


def _role(writing: Writing, node: Node, local: str, who: str, name: str, *, beside: bool = False) -> None:
    """A resource role of a task. One of the same kind that stood there did not count beside Noria's attribute."""
    for old in [] if beside else list(node.elements(bpmn(local))):
        writing.say(old, "export.superseded", role=local, attribute=name)
        old.detach()
    names = sorted(set(_OURS.findall(_TEXT.sub("", who))))
    if names:
        writing.say(node, "export.context", names=", ".join(names), value=who)
    role = writing.new(node, local)
    writing.append(role, writing.nested(node, "resourceAssignmentExpression", "formalExpression", text=who))
    writing.insert(node, role)


def job(writing: Writing, node: Node, operations: dict[str, str]) -> None:
    """A constant topic is the operation that a service task invokes, and a send task with its message.

    Args:
        writing: the file.
        node: the task.
        operations: topic → id of its operation, of those made so far.
    """
    topic = writing.take(node, "topic")
    if not topic:
        return
    if topic.startswith("=") or node.get("operationRef"):
        code = "export.computed" if topic.startswith("=") else "export.described"
        writing.note(node, "noria:topic", topic, VOCABULARY["topic"].meaning, code)
        return
    message = ""
    if topic not in operations:
        operations[topic], message = _operation(writing, node, topic)
    node.attributes["operationRef"] = operations[topic]
    if node.local == "sendTask" and not node.get("messageRef"):
        node.attributes["messageRef"] = message or _message_of(writing, operations[topic])
    writing.say(node, "export.operation", attribute="noria:topic", value=topic)


def _operation(writing: Writing, node: Node, topic: str) -> tuple[str, str]:
    """Declare an operation and the message it takes (every operation takes one); gives their ids."""
    message = writing.new(writing.document.root, "message")
    message.attributes = {"id": writing.unique(f"message_{node.get('id')}"), "name": topic}
    interface = writing.new(writing.document.root, "interface")
    interface.attributes = {"id": writing.unique(f"interface_{node.get('id')}"), "name": topic}
    operation = writing.append(interface, writing.new(interface, "operation"))
    operation.attributes = {"id": writing.unique(f"operation_{node.get('id')}"), "name": topic}
    writing.append(operation, writing.new(interface, "inMessageRef", message.get("id")))
    writing.add_root(message)
    writing.add_root(interface)
    return operation.get("id"), message.get("id")


def _message_of(writing: Writing, operation: str) -> str:
    node = next(node for node in writing.document.root.descendants() if node.get("id") == operation)
    taken = node.first(bpmn("inMessageRef"))
    return taken.text.strip() if taken is not None else ""


def instances(writing: Writing, marker: Node) -> None:
    """What a multi-instance loop goes over and gathers: data of the activity, where it has a name."""
    activity = marker.parent
    collection, item = writing.take(marker, "collection"), writing.take(marker, "item")
    if collection:
        _collection(writing, marker, activity, collection, item)
    elif item:
        writing.note(marker, "noria:item", item, VOCABULARY["item"].meaning, "export.described")
    gathered, result = writing.take(marker, "outputCollection"), writing.take(marker, "outputItem")
    if gathered and result:
        _results(writing, marker, activity, gathered, result)
    else:
        for name, value in (("outputCollection", gathered), ("outputItem", result)):
            if value:
                writing.note(marker, f"noria:{name}", value, VOCABULARY[name].meaning, "export.described")


def _collection(writing: Writing, marker: Node, activity: Node | None, collection: str, item: str) -> None:
    name = collection[1:].strip()
    if activity is not None and collection.startswith("=") and _is_name(name) and _may_declare(activity):
        data = _declare(writing, activity, "dataInput", name)
        _put(writing, marker, "loopDataInputRef", text=data)
        if item:
            _put(writing, marker, "inputDataItem", id=writing.unique(f"{data}_item"), name=item)
        writing.say(marker, "export.collection", attribute="noria:collection", value=name)
        return
    if marker.first(bpmn("loopCardinality")) is None:
        _put(writing, marker, "loopCardinality", text=f"count({feel(collection)})")
    said = f"{collection}; noria:item = {item}" if item else collection
    writing.note(marker, "noria:collection", said, VOCABULARY["collection"].meaning, "export.count")


def _results(writing: Writing, marker: Node, activity: Node | None, gathered: str, result: str) -> None:
    name = result[1:].strip()
    if activity is not None and result.startswith("=") and _is_name(name) and _may_declare(activity):
        data = _declare(writing, activity, "dataOutput", gathered)
        _put(writing, marker, "loopDataOutputRef", text=data)
        _put(writing, marker, "outputDataItem", id=writing.unique(f"{data}_item"), name=name)
        writing.say(marker, "export.results", attribute="noria:outputCollection", value=gathered)
        return
    said, meaning = f"{gathered}; noria:outputItem = {result}", VOCABULARY["outputCollection"].meaning
    writing.note(marker, "noria:outputCollection", said, meaning, "export.described")


def _is_name(text: str) -> bool:
    return text.isidentifier()


def _may_declare(activity: Node) -> bool:
    """Whether data can be declared at an activity: a sub-process has none of its own (BPMN 2.0.2, 10.4.1)."""
    return activity.local not in ("subProcess", "transaction", "adHocSubProcess")


def _declare(writing: Writing, activity: Node, local: str, name: str) -> str:
    """Declare data that an activity takes or gives; gives its id."""
    specification = activity.first(bpmn("ioSpecification"))
    if specification is None:
        specification = writing.new(activity, "ioSpecification")
        for sets in ("inputSet", "outputSet"):
            writing.append(specification, writing.new(activity, sets))
        writing.insert(activity, specification)
    data = writing.new(activity, local)
    key = writing.unique(f"{activity.get('id')}_{'takes' if local == 'dataInput' else 'gives'}")
    data.attributes = {"id": key, "name": name, "isCollection": "true"}
    data.parent = specification
    # Data inputs, then data outputs, then the sets.
    before = ("dataInput",) if local == "dataInput" else ("dataInput", "dataOutput")
    place = max(
        (
            at + 1
            for at, other in enumerate(specification.children)
            if isinstance(other, Node) and other.local in ("documentation", "extensionElements", *before)
        ),
        default=0,
    )
    specification.children.insert(place, data)
    sets, reference = ("inputSet", "dataInputRefs") if local == "dataInput" else ("outputSet", "dataOutputRefs")
    holder = specification.first(bpmn(sets))
    if holder is not None:
        holder.children.insert(0, writing.new(activity, reference, key))
    return key


_ORDER = (
    "documentation",
    "extensionElements",
    "loopCardinality",
    "loopDataInputRef",
    "loopDataOutputRef",
    "inputDataItem",
    "outputDataItem",
    "complexBehaviorDefinition",
    "completionCondition",
)
"""Of what a multi-instance marker holds, by the schema."""


def _put(writing: Writing, marker: Node, local: str, *, text: str = "", **attributes: str) -> None:
    """Put an element into a multi-instance marker, in place of one of the same kind, where the schema wants it."""
    for old in list(marker.elements(bpmn(local))):
        old.detach()
    made = writing.new(marker, local, text)
    made.attributes = attributes
    made.parent = marker
    behind = _ORDER[_ORDER.index(local) + 1 :]
    places = (at for at, other in enumerate(marker.children) if isinstance(other, Node) and other.local in behind)
    marker.children.insert(next(places, len(marker.children)), made)
