"""Data: parameters of an element, fields, and what goes into a called process and comes back."""

from __future__ import annotations

import re
from collections.abc import Collection

from noria.design.bpmn.names import NORIA, bpmn, noria
from noria.design.feel.builtins import LIBRARY_NAMES
from noria.design.importing.expressions import script
from noria.design.importing.juel import has_expression
from noria.design.importing.said import NAME, quoted
from noria.design.importing.vendors import JUEL_VENDORS, VENDORS
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

_WHOLE = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TYPES = {
    **dict.fromkeys(("int", "integer", "long", "short"), _WHOLE),
    **dict.fromkeys(("double", "float", "decimal"), _NUMBER),
    "boolean": re.compile("true|false"),
}
"""Type of a data object that is no text → how its value is written; FEEL writes it likewise."""
_UNSUPPORTED_CALL = (
    "variableMappingClass",
    "variableMappingDelegateExpression",
    "caseRef",
    "caseBinding",
    "caseVersion",
    "caseTenantId",
    "idVariableName",
)


_BRINGS = frozenset(
    {
        *("userTask", "serviceTask", "sendTask", "scriptTask", "businessRuleTask", "receiveTask"),
        "intermediateCatchEvent",
    }
)
"""What brings variables by itself; a called process's come back as its caller says, below."""
_PARAMETERS = ("inputParameter", "outputParameter")


RESERVED = frozenset({"business_key", "facts", "starter"})
"""Variables that Noria sets itself (`engine.state.RESERVED_VARIABLES`): no other value is seen under these names."""


def reserved(work: Work, node: Node) -> None:
    """Tell of variables whose names are taken here."""
    holder = node.first(bpmn("extensionElements"))
    mappings = [] if holder is None else [child for child in holder.elements() if child.namespace == NORIA]
    named = {node.get(noria(name)) for name in ("resultVariable", "item", "outputCollection")}
    # What is mapped onto itself is no new value.
    named |= {child.get("target") for child in mappings if child.get("source") != f"= {child.get('target')}"}
    for name in sorted(named & RESERVED):
        work.say(node, "import.reserved_name", name=name)


def parameters_of(work: Work, node: Node) -> None:
    """Camunda's input and output parameters of an element."""
    for holder in _holders(work, node):
        parameters(work, node, holder)
        # What is brought stays inside there only where an input has its name; what is put out goes as far as it can.
        if node.local in _BRINGS or has(node, "output"):
            work.set(node, "passOn", "true")


def has(node: Node, local: str) -> bool:
    """Whether an element has mappings of Noria's, "input" or "output"."""
    holder = node.first(bpmn("extensionElements"))
    return holder is not None and any(child.tag == noria(local) for child in holder.elements())


def _holders(work: Work, node: Node) -> list[Node]:
    """The ``inputOutput`` of an element, reported when there is nothing in it."""
    taken = work.take_elements(node, "inputOutput")
    for found in taken:
        if not any(found.node.elements()):
            work.say(found, "import.empty")
        for child in found.node.elements():
            if child.local not in _PARAMETERS:
                work.say(_as_found(child), "import.unknown_element")
    return [found.node for found in taken if any(found.node.elements())]


def _as_found(node: Node) -> Found:
    return Found(node, f"{VENDORS[node.namespace]}:{node.local}", node.text.strip())


def parameters(
    work: Work, node: Node, holder: Node, kinds: Collection[str] = _PARAMETERS, *, meant: bool = True
) -> None:
    """The parameters inside an ``inputOutput``, each reported.

    Args:
        work: the file.
        node: whose parameters they are.
        holder: the ``inputOutput``.
        kinds: which of them.
        meant: a called process was meant to see the inputs, which it does here.
    """
    for child in holder.elements():
        if child.local not in kinds:
            continue
        found = _as_found(child)
        source = _source(work, child, found)
        if source is None:
            continue
        local = "input" if child.local == "inputParameter" else "output"
        work.add(node, local, source=source, target=child.get("name"))
        code = "import.output_parameter" if local == "output" else input_code(node) if meant else "import.input_called"
        work.say(found, code, name=child.get("name"))


def input_code(node: Node) -> str:
    """A worker sees only the inputs here, and all variables there; for any other element nothing changes."""
    return "import.input_only" if node.get(noria("topic")) else "import.input_parameter"


def _source(work: Work, node: Node, found: Found) -> str | None:
    """The value of a parameter as Noria's attribute."""
    inner = next(node.elements(), None)
    if inner is not None:
        feel = _structured(work, inner, found)
        return None if feel is None else f"= {feel}"
    return work.value(found) if found.value else "= null"


def _structured(work: Work, node: Node, found: Found) -> str | None:
    """A list, map, script or value as FEEL; None when something in it is not FEEL (a line says what)."""
    here = found._replace(node=node, value=node.text.strip())
    if node.local == "script":
        if node.get("resource"):
            work.say(here, "import.resource")
            return None
        translation = script(work, here, node.get("scriptFormat"))
        if translation is None:
            return None
        return quoted(translation.text) if translation.constant else translation.text
    if node.local in ("value", "entry", "inputParameter"):
        inner = next(node.elements(), None)
        if inner is not None:
            return _structured(work, inner, found)
        if not here.value:
            return "null"
        return work.feel(here)
    items = list(node.elements())
    feels = [_structured(work, item, found) for item in items]
    if any(feel is None for feel in feels):
        return None
    texts = [feel or "" for feel in feels]
    if node.local == "list":
        return f"[{', '.join(texts)}]"
    if node.local == "map":
        return (
            "{" + ", ".join(f"{quoted(item.get('key'))}: {text}" for item, text in zip(items, texts, strict=True)) + "}"
        )
    work.say(here, "import.unknown_element")
    return None


def field(found: Found) -> tuple[str, str]:
    """Name and value of an injected field."""
    node = found.node
    value = node.get("stringValue") or node.get("expression")
    if not value:
        value = next((child.text.strip() for child in node.elements() if child.text.strip()), "")
    return node.get("name"), value


def data_object(work: Work, node: Node) -> None:
    """The value that a data object has when its process or sub-process begins, unless it was begun with another."""
    for found in work.take_elements(node, "value"):
        name = node.get("name") or node.get("id")
        around = node.parent
        starts = [] if around is None else list(around.elements(bpmn("startEvent")))
        value = _typed(work, node, found.value)
        # A missing variable with the name of a function would be taken for the function.
        if value is None or not starts or not NAME.fullmatch(name) or name in LIBRARY_NAMES:
            work.say(found, "import.unsupported")
            continue
        for start in starts:
            work.add(start, "output", source=f"= if {name} != null then {name} else {value}", target=name)
        work.say(found, "import.data_value", name=name)


def _typed(work: Work, node: Node, text: str) -> str | None:
    """A constant as FEEL, by the type of the data object; None when it is none of that type."""
    kind = node.get("itemSubjectRef")
    if work.declared("itemDefinition", kind):
        kind = work.by_id(kind.rpartition(":")[2]).get("structureRef")
    written = _TYPES.get(kind.rpartition(":")[2].lower())
    if written is None:
        return quoted(text)
    text = text.lower()
    return text if written.fullmatch(text) else None


def call_activity(work: Work, node: Node) -> None:
    """Which process is called, and what goes in and out."""
    called = node.get("calledElement")
    if has_expression(called):
        found = Found(node, "bpmn:calledElement", called)
        value = work.value(found)
        if value is not None:
            node.attributes["calledElement"] = value
            work.say(found, "import.name_expression")
    _binding(work, node)
    work.report(node, "import.unsupported", *_UNSUPPORTED_CALL)
    work.report(node, "import.only_informs", "processInstanceName")
    local = work.take(node, "useLocalScopeForOutParameters")
    keeps = local is not None and local.is_true
    if local is not None:
        # At the level of the process there is no scope in between that could keep them.
        lost = local.is_true and node.parent is not None and node.parent.local == "process"
        said = "import.local_outputs" if keeps else "import.no_meaning"
        work.say(local, "import.unsupported" if lost else said)
    holders = _holders(work, node)
    ins, outs = work.take_elements(node, "in"), work.take_elements(node, "out")
    # Where no such vendor speaks (in Zeebe, in plain BPMN) variables pass unless something else is said.
    if work.vendors & JUEL_VENDORS:
        sees_inputs = _passes_all_in(work, node, ins)
        # What is passed is looked for among the inputs first, what comes back is there for the outputs.
        for holder in holders:
            parameters(work, node, holder, ("inputParameter",), meant=sees_inputs)
        _pass_in(work, node, ins)
        _pass_out(work, node, outs)
        for holder in holders:
            parameters(work, node, holder, ("outputParameter",))
        _pass_on(work, node, outs, keeps=keeps)


def _binding(work: Work, node: Node) -> None:
    same = work.take(node, "sameDeployment")
    binding = work.take(node, "calledElementBinding")
    version = work.take(node, "calledElementVersion")
    if same is not None:
        if same.is_true:
            work.set(node, "binding", "deployment")
        work.say(same, "import.binding_mapped")
    if binding is not None:
        if binding.value in ("deployment", "latest"):
            work.set(node, "binding", binding.value)
            work.say(binding, "import.binding_mapped")
        elif binding.value == "version" and version is not None and version.value.isdecimal():
            work.set(node, "binding", "version")
            work.set(node, "version", version.value)
            work.say(binding, "import.version")
        else:
            work.say(binding, "import.binding")
    if version is not None:
        used = bool(node.get(noria("version"))) or (binding is not None and binding.value != "version")
        work.say(version, "import.version" if used else "import.binding")
    work.report(node, "import.binding", "calledElementVersionTag", "calledElementTenantId")
    kind = work.take(node, "calledElementType")
    if kind is not None:
        work.say(kind, "import.no_meaning" if kind.value == "key" else "import.unsupported")


def _passes_all_in(work: Work, node: Node, ins: list[Found]) -> bool:
    """Whether the called process gets all variables; local to the call are its inputs, which it gets in any case."""
    inherits = work.take(node, "inheritVariables")
    if inherits is not None:
        work.say(inherits, "import.pass_all")
    everything = [found for found in ins if _is_everything(found)]
    for found in everything:
        work.say(found, "import.pass_all")
    passes = (inherits is not None and inherits.is_true) or any(not _is_local(found) for found in everything)
    if not passes:
        work.set(node, "propagateIn", "false")
    return passes or bool(everything)


def _is_everything(found: Found) -> bool:
    return found.node.get("variables") == "all"


def _is_local(found: Found) -> bool:
    return found.node.get("local") == "true"


def _pass_in(work: Work, node: Node, ins: list[Found]) -> None:
    inherits = work.take(node, "inheritBusinessKey")
    if inherits is not None:
        if inherits.is_true:
            work.set(node, "businessKey", "= business_key")
        work.say(inherits, "import.business_key")
    work.move(work.take(node, "businessKey"), node, "businessKey", "import.business_key")
    for found in ins:
        if found.node.get("businessKey"):
            key = found._replace(value=found.node.get("businessKey"))
            work.move(key, node, "businessKey", "import.business_key")
        elif not _is_everything(found):
            pass_one(work, node, found, "input")
    if not node.get(noria("businessKey")):
        # There nothing is passed that is not said.
        work.set(node, "businessKey", "= null")


def _pass_out(work: Work, node: Node, outs: list[Found]) -> None:
    for found in outs:
        if _is_everything(found):
            work.say(found, "import.pass_all")
        else:
            pass_one(work, node, found, "output")


def _pass_on(work: Work, node: Node, outs: list[Found], *, keeps: bool) -> None:
    """What comes back beside the outputs, which see all of it in any case."""
    if not any(_is_everything(found) and not _is_local(found) for found in outs):
        work.set(node, "propagateOut", "false")
    if has(node, "output") and not keeps:
        work.set(node, "passOn", "true")


def pass_one(work: Work, node: Node, found: Found, local: str) -> None:
    """One variable or expression that goes in or comes out."""
    attributes = found.node
    target = attributes.get("target")
    expression = attributes.get("sourceExpression")
    source = attributes.get("source")
    if not target or attributes.get("targetExpression") or (not expression and not source):
        work.say(found, "import.unsupported")
        return
    value = work.value(found._replace(value=expression or f"${{{source}}}"))
    if value is not None:
        work.add(node, local, source=value, target=target)
        work.say(found, f"import.{local}_parameter", name=target)
        if attributes.get("local") == "true":
            work.say(found, "import.pass_local")
