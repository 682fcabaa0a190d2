"""Data: parameters of an element, fields, and what goes into a called process and comes back."""

from __future__ import annotations

import re

from noria.design.bpmn.names import bpmn, noria
from noria.design.feel.builtins import LIBRARY_NAMES
from noria.design.importing.expressions import script
from noria.design.importing.juel import has_expression
from noria.design.importing.said import quoted
from noria.design.importing.vendors import JUEL_VENDORS, VENDORS
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

_NAME = re.compile(r"[^\W\d]\w*")
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


def parameters_of(work: Work, node: Node) -> None:
    """Camunda's input and output parameters of an element."""
    for found in work.take_elements(node, "inputOutput"):
        if not any(found.node.elements()):
            work.say(found, "import.empty")
        parameters(work, node, found.node)


def parameters(work: Work, node: Node, holder: Node) -> None:
    """The parameters inside an ``inputOutput``, each reported."""
    for child in holder.elements():
        found = Found(child, f"{VENDORS[child.namespace]}:{child.local}", child.text.strip())
        if child.local not in ("inputParameter", "outputParameter"):
            work.say(found, "import.unknown_element")
            continue
        source = _source(work, child, found)
        if source is None:
            continue
        local = "input" if child.local == "inputParameter" else "output"
        work.add(node, local, source=source, target=child.get("name"), **outward(node, local))
        # Beside its outputs an element there gives away what else it brings; here that stays inside.
        code = input_code(node) if local == "input" else "import.output_only"
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
    return work.value(found)


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
        if value is None or not starts or not _NAME.fullmatch(name) or name in LIBRARY_NAMES:
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
    ins, outs = work.take_elements(node, "in"), work.take_elements(node, "out")
    # Where no such vendor speaks (in Zeebe, in plain BPMN) variables pass unless something else is said.
    if work.vendors & JUEL_VENDORS:
        _pass_in(work, node, ins)
        _pass_out(work, node, outs, keeps=keeps)


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


def _pass_in(work: Work, node: Node, ins: list[Found]) -> None:
    everything = work.take(node, "inheritVariables")
    passes = everything is not None and everything.is_true
    if everything is not None:
        work.say(everything, "import.pass_all")
    inherits = work.take(node, "inheritBusinessKey")
    if inherits is not None:
        if inherits.is_true:
            work.set(node, "businessKey", "= business_key")
        work.say(inherits, "import.business_key")
    work.move(work.take(node, "businessKey"), node, "businessKey", "import.business_key")
    for found in ins:
        attributes = found.node
        if attributes.get("businessKey"):
            work.move(found._replace(value=attributes.get("businessKey")), node, "businessKey", "import.business_key")
        elif attributes.get("variables") == "all":
            passes = True
            work.say(found, "import.pass_local" if attributes.get("local") == "true" else "import.pass_all")
        else:
            pass_one(work, node, found, "input")
    if not passes:
        work.set(node, "propagateIn", "false")


def _pass_out(work: Work, node: Node, outs: list[Found], *, keeps: bool) -> None:
    everything = [found for found in outs if found.node.get("variables") == "all"]
    renames = [found for found in outs if found not in everything]
    for found in everything:
        work.say(found, "import.pass_all" if not renames else "import.pass_all_and_some")
    for found in renames:
        pass_one(work, node, found, "output", keeps=keeps)
    if not everything:
        work.set(node, "propagateOut", "false")


def outward(node: Node, local: str) -> dict[str, str]:
    """How the vendors write an output inside a sub-process: into a variable that there is, or one of the process."""
    inside = node.parent is not None and node.parent.local != "process"
    return {"outward": "true"} if inside and local == "output" else {}


def pass_one(work: Work, node: Node, found: Found, local: str, *, keeps: bool = False) -> None:
    """One variable or expression that goes in or comes out; what `keeps` stays in the scope around."""
    attributes = found.node
    target = attributes.get("target")
    expression = attributes.get("sourceExpression")
    source = attributes.get("source")
    if not target or attributes.get("targetExpression") or (not expression and not source):
        work.say(found, "import.unsupported")
        return
    value = work.value(found._replace(value=expression or f"${{{source}}}"))
    if value is not None:
        far = {} if keeps else outward(node, local)
        work.add(node, local, source=value, target=target, **far)
        work.say(found, f"import.{local}_parameter", name=target)
        if attributes.get("local") == "true":
            work.say(found, "import.pass_local")
