"""Data in a model: objects and properties are variables; associations become mappings; correlation keys expressions."""

from __future__ import annotations

from functools import cached_property

from noria.design.bpmn.expressions import Expressions
from noria.design.bpmn.graph import Mapping
from noria.design.bpmn.names import bpmn
from noria.design.bpmn.source import BpmnFile, Findings, child_text, referred
from noria.design.feel import Expression
from noria.design.xml import Node

_PLACEHOLDER = "__targetRef_placeholder"  # what bpmn.io writes where a drawing connects nothing
_NAMED = frozenset({"dataObject", "property", "dataInput", "dataOutput", "inputDataItem", "outputDataItem"})


class Data:
    """Reads the data parts of one file."""

    def __init__(self, read: BpmnFile, findings: Findings, expressions: Expressions) -> None:
        self.read = read
        self.findings = findings
        self.expressions = expressions

    def variable(self, reference: str) -> str:
        """The variable that a data element names: its name, or else its id; "" when it is none.

        A data object without a name has that of the first reference that has one, and so for all its references.
        """
        node = referred(self.read, reference.strip()) if reference.strip() else None
        if node is None:
            return ""
        if node.local == "dataObjectReference":
            held = referred(self.read, node.get("dataObjectRef")) if node.get("dataObjectRef") else None
            return node.get("name") or node.get("dataObjectRef") if held is None else self._name(held)
        if node.local not in _NAMED or node.get("name") == _PLACEHOLDER:
            return ""
        return self._name(node)

    def _name(self, node: Node) -> str:
        node = self._at_the_called(node) or node
        return node.get("name") or self._called.get(node.get("id"), "") or node.get("id")

    def _at_the_called(self, node: Node) -> Node | None:
        """10.4.2: a call's inputs and outputs are, in their order, those of the process that it calls."""
        declared = node.parent
        call = declared.parent if declared is not None and declared.local == "ioSpecification" else None
        if declared is None or call is None or call.local != "callActivity":
            return None
        called = referred(self.read, call.get("calledElement"))
        theirs = called.first(bpmn("ioSpecification")) if called is not None else None
        if theirs is None:
            return None
        pairs = zip(declared.elements(node.tag), theirs.elements(node.tag), strict=False)
        return next((their for our, their in pairs if our is node), None)

    @cached_property
    def _called(self) -> dict[str, str]:
        """Id of a data object → the first name that a reference gives it."""
        called: dict[str, str] = {}
        for node in self.read.document.root.descendants():
            if node.tag == bpmn("dataObjectReference") and node.get("name"):
                called.setdefault(node.get("dataObjectRef"), node.get("name"))
        return called

    def own(self, node: Node) -> tuple[str, ...]:
        """The variables of a sub-process's own data objects and properties."""
        held = [child for child in node.elements() if child.tag in (bpmn("dataObject"), bpmn("property"))]
        return tuple(dict.fromkeys(self._name(child) for child in held))

    def associations(self, node: Node, local: str) -> tuple[Mapping, ...]:
        """What the data input or output associations of an element assign, in document order."""
        found: list[Mapping] = []
        for association in node.elements(bpmn(local)):
            target = self.variable(child_text(association, "targetRef"))
            sources = [self.variable(source.text) for source in association.elements(bpmn("sourceRef"))]
            assignments = list(association.elements(bpmn("assignment")))
            transformation = child_text(association, "transformation")
            if assignments:
                found += [
                    self._assignment(assignment, target) for assignment in assignments if child_text(assignment, "from")
                ]
            elif transformation and target:
                found.append(Mapping(self.expressions.feel(transformation, association), target))
            elif target and len(sources) == 1 and sources[0] and sources[0] != target:
                source = self.expressions.variable(sources[0], association, "warning")
                if source is not None:
                    found.append(Mapping(source, target))
        return tuple(found)

    def _assignment(self, assignment: Node, target: str) -> Mapping:
        written = child_text(assignment, "to").strip().removeprefix("=").strip()
        value = child_text(assignment, "from")
        named = self.variable(written) or written or target
        whole, _, part = written.partition(".")
        if not named:
            self.findings.error("bpmn.mapping", "The assignment has no target variable.", assignment)
        elif part and not self.variable(written):
            named = self.variable(whole) or whole
            if part.isidentifier() and named.isidentifier():
                held = f"if {named} = null then {{}} else {named}"
                value = f'context put({held}, "{part}", {value.strip().removeprefix("=")})'
            else:
                message = f"An assignment goes to a variable or to an entry of one, not to {written!r}."
                self.findings.error("bpmn.mapping", message, assignment)
        return Mapping(self.expressions.feel(value, assignment), named)

    def collection(self, node: Node, reference: str) -> str:
        """The variable behind a loop's data reference: through the activity's own association when there is one."""
        local = reference.strip()
        for association, here, there in (
            ("dataInputAssociation", "targetRef", "sourceRef"),
            ("dataOutputAssociation", "sourceRef", "targetRef"),
        ):
            for child in node.elements(bpmn(association)):
                if child_text(child, here).strip() == local:
                    found = self.variable(child_text(child, there))
                    if found:
                        return found
        return self.variable(local)

    # Correlation keys

    def thrown_key(self, message: Node) -> Expression | None:
        """The key of a message that is sent: the retrieval expressions of the first correlation key it carries."""
        for key in self._keys():
            paths = [self._retrieval(part, message) for part in self._properties(key)]
            if paths and all(paths):
                return self._joined([path for path in paths if path is not None])
        return None

    def awaited_key(self, process: Node, message: Node) -> Expression | None:
        """The key of a message that is awaited: the process's own subscription to it, or else what it sent itself."""
        for subscription in process.elements(bpmn("correlationSubscription")):
            key = referred(self.read, subscription.get("correlationKeyRef"))
            bound = {
                binding.get("correlationPropertyRef"): path
                for binding in subscription.elements(bpmn("correlationPropertyBinding"))
                if (path := binding.first(bpmn("dataPath"))) is not None
            }
            if key is None:
                continue
            parts = self._properties(key)
            if parts and all(self._retrieval(part, message) is not None for part in parts):
                paths = [bound.get(part.get("id")) for part in parts]
                if all(path is not None for path in paths):
                    return self._joined([path for path in paths if path is not None])
        return self.thrown_key(message)

    def _keys(self) -> list[Node]:
        return [node for node in self.read.document.root.descendants() if node.tag == bpmn("correlationKey")]

    def _properties(self, key: Node) -> list[Node]:
        found = [referred(self.read, part.text.strip()) for part in key.elements(bpmn("correlationPropertyRef"))]
        return [part for part in found if part is not None]

    def _retrieval(self, part: Node, message: Node) -> Node | None:
        for retrieval in part.elements(bpmn("correlationPropertyRetrievalExpression")):
            if referred(self.read, retrieval.get("messageRef")) is message:
                return retrieval.first(bpmn("messagePath"))
        return None

    def _joined(self, paths: list[Node]) -> Expression:
        if len(paths) == 1:
            return self.expressions.feel(paths[0].text, paths[0], paths[0].get("language"))
        parts = [f"string({path.text.strip().removeprefix('=')})" for path in paths]
        return self.expressions.feel(' + "|" + '.join(parts), paths[0], paths[0].get("language"))
