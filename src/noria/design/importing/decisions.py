"""DMN files: vendors' attributes, JUEL in them, and namespaces of older versions."""

from __future__ import annotations

import re

from noria.design.feel import FeelSyntaxError, compile_expression, compile_unary_tests
from noria.design.feel.expression import parse_expression, parse_unary_tests
from noria.design.importing import cells, dialect
from noria.design.importing.feel import translate, translate_expression
from noria.design.importing.juel import has_expression
from noria.design.importing.report import Imported, report_line
from noria.design.importing.said import NotTranslatable
from noria.design.importing.scripts import LANGUAGES, read_script
from noria.design.importing.vendors import CAMUNDA_8, PLATFORM, VENDORS
from noria.design.importing.working import Found, Work
from noria.design.xml import Node, XmlRefusedError, read_xml, write_xml

_TARGET = "https://www.omg.org/spec/DMN/20191111/MODEL/"
_OLDER = frozenset(
    {
        "http://www.omg.org/spec/DMN/20130901",
        "http://www.omg.org/spec/DMN/20151101",
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
    }
)
"""Namespaces of DMN 1.1 and of its drafts; what tables and expressions need is the same in DMN 1.3."""
_EXPORTERS = re.compile("camunda|operaton|flowable|activiti", re.IGNORECASE)
_NUMBERS = frozenset({"integer", "int", "long", "double", "float", "short"})
_JUEL = frozenset({"juel", "uel", "http://java.sun.com/products/jsp"})
_EXPRESSIONS = frozenset({"inputExpression", "outputEntry", "literalExpression", "defaultOutputEntry"})
_CODES = {
    "historyTimeToLive": "import.retention",
    "versionTag": "import.version_tag",
    "inputVariable": "import.cell_variable",
    "diagramRelationId": "import.no_meaning",
}


def import_dmn(content: bytes, file: str) -> Imported:
    """Turn a DMN file of another vendor into one that Noria reads.

    Args:
        content: the XML.
        file: its name, for the report.
    """
    try:
        document = read_xml(content)
    except XmlRefusedError as error:
        line = report_line("import.unreadable", file, error.line, "", "", {"reason": error.message})
        return Imported(None, (line,), {})
    root = document.root
    if root.local != "definitions" or "/DMN/" not in root.namespace:
        line = report_line("import.not_bpmn", file, root.line, "", "", {"reason": root.local})
        return Imported(None, (line,), {})
    work = Work(document, file)
    older = _newer(work, root)
    nodes = [node for node in root.descendants() if node.namespace not in VENDORS]
    _spread_language(root, nodes)
    flowables = cells.are_flowables(root)
    for node in nodes:
        _type(work, node)
        _expression(work, node, flowables=flowables)
    for node in nodes:
        for name, code in _CODES.items():
            found = work.take(node, name, vendors=VENDORS)
            if found is not None:
                work.say(found, code)
    for node in [node for node in root.descendants() if node.namespace in VENDORS and node.local == "versionTag"]:
        work.say(Found(node, f"{VENDORS[node.namespace]}:versionTag", node.get("value")), "import.version_tag")
        work.remove(node)
    work.clean()
    if work.vendors or older or _EXPORTERS.search(root.get("exporter")):
        _without_values(work, root)
        _require_inputs(work, root)
    return Imported(write_xml(document), tuple(sorted(work.lines, key=lambda line: line.line)), {})


def _newer(work: Work, root: Node) -> bool:
    """Write an older file in the namespace of DMN 1.3; whether it was one."""
    older = root.namespace
    if older not in _OLDER:
        return False
    for node in root.descendants():
        if node.namespace == older:
            node.namespace = _TARGET
        for prefix, uri in node.declarations.items():
            if uri == older:
                node.declarations[prefix] = _TARGET
    work.say(Found(root, "dmn:xmlns", older), "import.dmn_version")
    return True


def _type(work: Work, node: Node) -> None:
    """Camunda's names of numbers, and FEEL's types behind a prefix, as DMN 1.1 wrote them."""
    name = node.get("typeRef")
    local = name.rpartition(":")[2]
    if local.lower() in _NUMBERS:
        node.attributes["typeRef"] = "number"
        work.say(Found(node, "dmn:typeRef", name), "import.number_type")
    elif name.startswith("feel:"):
        node.attributes["typeRef"] = local


def _spread_language(root: Node, nodes: list[Node]) -> None:
    """Have each expression say itself which language it is in, where a file says it for all of them."""
    language = root.get("expressionLanguage")
    if language and "feel" not in language.lower():
        del root.attributes["expressionLanguage"]
        for node in nodes:
            if node.local in _EXPRESSIONS or node.local == "inputEntry":
                node.attributes.setdefault("expressionLanguage", language)


def _expression(work: Work, node: Node, *, flowables: bool) -> None:
    """An expression or a test in another language than FEEL: JUEL, or a script that only computes."""
    texts = [child for child in node.elements() if child.local == "text"]
    if not texts or (node.local not in _EXPRESSIONS and node.local != "inputEntry"):
        return
    language, text = node.get("expressionLanguage").lower(), texts[0].text.strip()
    if "feel" in language or not (language or flowables or has_expression(text)) or text == "-":
        return
    found = Found(node, f"dmn:{node.local}", text)
    tests = node.local == "inputEntry"
    renamed = _cell(node) if tests else {}
    if language and language not in _JUEL and language not in LANGUAGES:
        work.say(found, "import.script_language", language=node.get("expressionLanguage"))
        return
    try:
        if text and tests and flowables:
            translation = cells.test_of(text)
        elif language in LANGUAGES and not tests:
            translation = read_script(text, language).expression()
        elif has_expression(text):
            translation = translate(text, condition=tests, renamed=renamed)
        elif text:
            translation = translate_expression(text, condition=tests, renamed=renamed)
        else:
            node.attributes.pop("expressionLanguage", None)
            return
    except NotTranslatable as reason:
        # It keeps its language, or is given it, so that nobody takes it for FEEL.
        node.attributes.setdefault("expressionLanguage", "juel")
        work.say(found, "import.expression", reason=str(reason))
        return
    node.attributes.pop("expressionLanguage", None)
    made = translation.text
    if tests and (has_expression(text) or not flowables) and "?" not in compile_expression(made).names:
        # A condition that asks nothing of its input: without a question mark FEEL would take it for a value.
        made = f"? = ? and ({made})"
    if flowables and node.local == "inputExpression" and node.get("typeRef") == "date":
        # A text there becomes a date where the column is one.
        made = f"date({made})"
    if made == text:
        return
    for note in translation.notes:
        work.say(found, f"import.{note}")
    work.set_text(texts[0], made)
    work.say(found, "import.condition")


def _cell(entry: Node) -> dict[str, str]:
    """The names by which a test of Camunda speaks of its input; FEEL says ``?``."""
    names = {"cellInput": "?"}
    rule = entry.parent
    table = rule.parent if rule is not None else None
    if rule is None or table is None:
        return names
    entries = [child for child in rule.elements() if child.local == "inputEntry"]
    inputs = [child for child in table.elements() if child.local == "input"]
    place = next(index for index, child in enumerate(entries) if child is entry)
    if place < len(inputs):
        for key, value in inputs[place].attributes.items():
            if key.endswith("}inputVariable") and value.strip():
                names[value.strip()] = "?"
    return names


def _without_values(work: Work, root: Node) -> None:
    """Leave out the values that a column may have: Camunda's only help who draws, DMN's make null of any other."""
    if not (PLATFORM in root.attributes or "camunda" in root.get("exporter").lower()):
        return
    for table in [node for node in root.descendants() if node.local == "decisionTable"]:
        ordered = table.get("hitPolicy") in ("PRIORITY", "OUTPUT ORDER")
        for column in table.elements():
            for values in list(column.elements()):
                if values.local == "inputValues" or (values.local == "outputValues" and not ordered):
                    text = next((child.text.strip() for child in values.elements()), "")
                    work.say(Found(values, f"dmn:{values.local}", text), "import.allowed_values")
                    work.remove(values)


def _require_inputs(work: Work, root: Node) -> None:
    """Declare what a decision reads: Camunda's tables see every variable, DMN's only what they require."""
    drawn = {node.get("id"): node for node in root.elements() if node.get("id")}
    if any(node.local == "import" for node in root.elements()):
        return  # names with a prefix of their own
    for decision in [node for node in root.elements() if node.local == "decision"]:
        # The names of a boxed context are its own.
        if not any(node.local in ("decisionTable", "literalExpression") for node in decision.elements()):
            continue
        required = _required(decision, drawn)
        known = {decision.get("name"), *(node.get("name") for node in required)}
        for node in required:
            _take_names(work, decision, node, known)
        for name in sorted(_free_names(work, decision, known) - known):
            _declare(work, root, decision, name)


def _required(decision: Node, drawn: dict[str, Node]) -> list[Node]:
    """What a decision requires, as far as it is in the file."""
    references = [item.get("href") for requirement in decision.elements() for item in requirement.elements()]
    return [drawn[key] for href in references if (key := href.removeprefix("#")) in drawn]


def _free_names(work: Work, decision: Node, known: set[str]) -> set[str]:
    """The names that a decision's expressions read; a line tells of functions that nobody knows."""
    names: set[str] = set()
    for node in decision.descendants():
        child = next((child for child in node.elements() if child.local == "text"), None)
        text = child.text.strip() if child is not None else ""
        language = node.get("expressionLanguage").lower()
        if child is None or not text or (language and "feel" not in language):
            continue
        written = text
        if (text := dialect.feel(written)) != written:
            work.set_text(child, text)
        found: frozenset[str] = frozenset()
        try:
            if node.local == "inputEntry":
                found = compile_unary_tests(text, known).names
                unknown = dialect.unknown_function(parse_unary_tests(text), found - known)
            elif node.local in _EXPRESSIONS:
                found = compile_expression(text, known).names
                unknown = dialect.unknown_function(parse_expression(text), found - known)
            else:
                continue
        except FeelSyntaxError:
            # The check of the written file reports it; names with spaces are known to it as well.
            unknown = ""
        told = Found(node, f"dmn:{node.local}", text)
        dialect.of_cluster(work, told, found)
        if unknown:
            work.say(told, "import.feel_function", name=unknown)
        names |= found - {unknown}
    return names - {"?"}


def _take_names(work: Work, decision: Node, required: Node, known: set[str]) -> None:
    """Give a required decision the name that DMN knows it by, wherever Camunda calls it otherwise."""
    name = required.get("name")
    columns, others = _called(work, required)
    instead = {**dict.fromkeys(others - known, name), **columns}
    for node in decision.descendants():
        for child in node.elements():
            before = child.text.strip()
            after = dialect.renamed(before, instead) if child.local == "text" else before
            if after != before:
                code = "import.required_name" if before in others - columns.keys() else "import.required_result"
                work.say(Found(node, f"dmn:{node.local}", before), code, name=after)
                work.set_text(child, after)


def _called(work: Work, required: Node) -> tuple[dict[str, str], set[str]]:
    """How a decision's result is called: columns and what they are in DMN, and names of the whole.

    In Camunda 7 by the columns of its table, in Camunda 8 by its id; by both of an expression's by its variable.
    """
    if required.local != "decision":
        return {}, set()
    name, platform = required.get("name"), work.document.root.get(PLATFORM)
    outputs = [node.get("name") for node in required.descendants() if node.local == "output" and node.get("name")]
    table = any(node.local == "decisionTable" for node in required.elements())
    others = {node.get("name") for node in required.elements() if node.local == "variable"} if not table else set()
    if table and (platform == CAMUNDA_8 or not platform):
        others.add(required.get("id"))
    columns = {output: name if len(outputs) == 1 else f"{name}.{output}" for output in outputs if output != name}
    return {} if platform == CAMUNDA_8 else columns, others - {"", name}


def _declare(work: Work, root: Node, decision: Node, name: str) -> None:
    inputs = [node for node in root.elements() if node.local == "inputData" and node.get("name") == name]
    if inputs:
        data = inputs[0]
    else:
        data = work.append(root, Node(root.namespace, "inputData", root.prefix, decision.line))
        data.attributes = {"id": work.unique(f"input_{name}"), "name": name}
        variable = work.append(data, Node(root.namespace, "variable", root.prefix, decision.line))
        variable.attributes = {"name": name}
    requirement = Node(root.namespace, "informationRequirement", decision.prefix, decision.line)
    requirement.attributes = {"id": work.unique(f"requires_{decision.get('id')}_{name}")}
    reference = work.append(requirement, Node(root.namespace, "requiredInput", decision.prefix, decision.line))
    reference.attributes = {"href": f"#{data.get('id')}"}
    before = ("description", "extensionElements", "question", "allowedAnswers", "variable", "informationRequirement")
    work.insert(decision, requirement, sum(1 for child in decision.elements() if child.local in before))
    work.say(decision, "import.required_input", name=name)
