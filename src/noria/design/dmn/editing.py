"""Decision tables as their owners edit them: read out of a file, and written back, with all else left as it was."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from noria.design.dmn.boxed import POLICIES, child, children, text_in
from noria.design.xml import Document, Node, read_xml, write_xml
from noria.kernel.errors import Rejected

RULES_MAX = 5_000
CELL_CHARS_MAX = 5_000
AGGREGATIONS = ("", "SUM", "MIN", "MAX", "COUNT")


class Column(msgspec.Struct):
    """A column: an input's expression, or an output's name; `allowed` is FEEL for the values it may have."""

    id: str
    label: str
    expression: str = ""
    name: str = ""
    type: str = ""
    allowed: str = ""


class EditedRule(msgspec.Struct):
    """A row: its cells as FEEL, and a note; `id` is "" for one that is new."""

    id: str
    inputs: list[str]
    outputs: list[str]
    note: str = ""


class EditedTable(msgspec.Struct):
    """What of a table may be edited.

    Attributes:
        hit_policy: as in the file, such as ``FIRST``.
        aggregation: for ``COLLECT``: "", ``SUM``, ``MIN``, ``MAX`` or ``COUNT``.
        rules: the rows in order.
    """

    hit_policy: str
    aggregation: str
    rules: list[EditedRule]


class TableSource(msgspec.Struct):
    """A decision that is a table, as it stands in a file."""

    decision: str
    name: str
    inputs: list[Column]
    outputs: list[Column]
    table: EditedTable


def tables_in(data: bytes) -> list[TableSource]:
    """The decisions of a file that are decision tables, in its order.

    Raises:
        XmlRefusedError: the file cannot be read.
    """
    found = []
    for decision, table in _tables(read_xml(data)):
        found.append(
            TableSource(
                decision.get("id"),
                decision.get("name"),
                [_input(node) for node in children(table, "input")],
                [_output(node) for node in children(table, "output")],
                EditedTable(
                    table.get("hitPolicy", "UNIQUE"),
                    table.get("aggregation"),
                    [_rule(node) for node in children(table, "rule")],
                ),
            )
        )
    return found


def _tables(document: Document) -> Iterator[tuple[Node, Node]]:
    for decision in children(document.root, "decision"):
        table = child(decision, "decisionTable")
        if table is not None:
            yield decision, table


def _input(node: Node) -> Column:
    box = child(node, "inputExpression")
    kind = box.get("typeRef") if box is not None else ""
    return Column(node.get("id"), node.get("label"), text_in(box), "", kind, text_in(child(node, "inputValues")))


def _output(node: Node) -> Column:
    allowed = text_in(child(node, "outputValues"))
    return Column(node.get("id"), node.get("label"), "", node.get("name"), node.get("typeRef"), allowed)


def _rule(node: Node) -> EditedRule:
    note = child(node, "description")
    return EditedRule(
        node.get("id"),
        [text_in(entry) for entry in children(node, "inputEntry")],
        [text_in(entry) for entry in children(node, "outputEntry")],
        note.text.strip() if note is not None else "",
    )


def with_table(data: bytes, decision: str, edited: EditedTable) -> bytes | Rejected:
    """The file with the rows and the hit policy of one decision's table replaced.

    Rows that are still there keep what else they hold; new ones get an id of their own.

    Raises:
        XmlRefusedError: the file cannot be read.
    """
    document = read_xml(data)
    table = next((table for node, table in _tables(document) if node.get("id") == decision), None)
    if table is None:
        return Rejected("rules.not_a_table", f"The decision {decision!r} is no decision table.")
    refused = _refused(table, edited)
    if refused is not None:
        return refused
    table.attributes["hitPolicy"] = edited.hit_policy
    table.attributes.pop("aggregation", None)
    if edited.aggregation:
        table.attributes["aggregation"] = edited.aggregation
    known = {node.get("id"): node for node in children(table, "rule")}
    ids = {node.get("id") for node in document.root.descendants()}
    rows = [known[rule.id] if rule.id in known else _new_rule(table, decision, ids) for rule in edited.rules]
    for node, rule in zip(rows, edited.rules, strict=True):
        _fill(node, rule)
    kept = [item for item in table.children if not (isinstance(item, Node) and item.local == "rule")]
    while kept and isinstance(kept[-1], str) and not kept[-1].strip():
        kept.pop()
    table.children = [*kept, *(part for node in rows for part in ("\n      ", node)), "\n    "]
    return write_xml(document)


def _refused(table: Node, edited: EditedTable) -> Rejected | None:
    def refuse(code: str, field: str, message: str) -> Rejected:
        return Rejected(code, message, {"fields": {field: code}})

    if edited.hit_policy not in POLICIES:
        return refuse("rules.bad_policy", "hit_policy", f"{edited.hit_policy!r} is not a hit policy.")
    if edited.aggregation not in (AGGREGATIONS if edited.hit_policy == "COLLECT" else ("",)):
        return refuse("rules.bad_policy", "aggregation", f"{edited.aggregation!r} does not go with the hit policy.")
    if len(edited.rules) > RULES_MAX:
        return refuse("rules.too_many", "rules", f"There are more than {RULES_MAX} rows.")
    widths = len(children(table, "input")), len(children(table, "output"))
    ids = [rule.id for rule in edited.rules if rule.id]
    if len(ids) != len(set(ids)):
        return refuse("rules.bad_row", "rules", "Two rows have the same id.")
    for number, rule in enumerate(edited.rules, 1):
        cells = [*rule.inputs, *rule.outputs, rule.note]
        if (len(rule.inputs), len(rule.outputs)) != widths or any(len(cell) > CELL_CHARS_MAX for cell in cells):
            return refuse("rules.bad_row", f"rules.{number}", f"Row {number} has not a cell for each column.")
    return None


def _new_rule(table: Node, decision: str, ids: set[str]) -> Node:
    number = 1
    while (name := f"{decision}_rule_{number}") in ids:
        number += 1
    ids.add(name)
    rule = _element(table, "rule")
    rule.attributes["id"] = name
    for local in ("inputEntry", "outputEntry"):
        column = local.removesuffix("Entry")
        for position in range(len(children(table, column))):
            entry = _element(rule, local)
            entry.attributes["id"] = f"{name}_{local}_{position}"
            rule.children += ["\n        ", entry]
    rule.children.append("\n      ")
    return rule


def _element(parent: Node, local: str) -> Node:
    node = Node(parent.namespace, local, parent.prefix)
    node.parent = parent
    return node


def _fill(node: Node, rule: EditedRule) -> None:
    for local, cells in (("inputEntry", rule.inputs), ("outputEntry", rule.outputs)):
        for entry, cell in zip(children(node, local), cells, strict=True):
            _set_text(entry, cell.strip() or ("-" if local == "inputEntry" else ""))
    note = child(node, "description")
    if rule.note.strip():
        if note is None:
            note = _element(node, "description")
            node.children = ["\n        ", note, *node.children]
        note.children = [rule.note.strip()]
    elif note is not None:
        node.children.remove(note)


def _set_text(entry: Node, text: str) -> None:
    held = child(entry, "text")
    if held is None:
        held = _element(entry, "text")
        entry.children.append(held)
    held.children = [text] if text else []
