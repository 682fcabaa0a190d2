"""Plain BPMN: what is said in the standard's words, what goes into the documentation, and what a finding says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.scenarios.drawing import draw
from tests.scenarios.playing import read_scenarios
from tests.shared import SHARED, needs
from tests.unit.design.exporting.flow import control_flow, namespaces

from noria.adapters.demo.seeding import example_files
from noria.design.bpmn import compile_bpmn, read_bpmn
from noria.design.bpmn.names import NORIA, bpmn
from noria.design.exporting import export_plain, sentence
from noria.design.exporting.plain import STANDARD
from noria.design.exporting.sentences import SENTENCES
from noria.design.findings import Finding, has_errors
from noria.design.xml import Node, read_xml

ROOT = Path(__file__).parents[4]
SCENARIOS = sorted((ROOT / "tests" / "scenarios").glob("*.scenario"))
CHAIN = ["startEvent start", "{}", "endEvent end", "start -> work -> end"]


def plain(content: bytes) -> tuple[Node, list[Finding]]:
    """The exported file's root and what was found, after what holds for every export."""
    exported = export_plain(content, "model.bpmn")
    assert exported.document is not None, exported.findings
    assert namespaces(exported.document) <= STANDARD
    assert control_flow(exported.document) == control_flow(content)
    read, findings = read_bpmn(exported.document, "model.bpmn")
    assert read is not None
    assert not has_errors(findings)
    # What cannot be carried out any more is something that was said to be lost.
    said = {finding.element for finding in exported.findings}
    before, _ = read_bpmn(content, "model.bpmn")
    if before is not None and not has_errors(compile_bpmn(before)[1]):
        assert [item for item in compile_bpmn(read)[1] if item.severity == "error" and item.element not in said] == []
    again = export_plain(exported.document, "model.bpmn")
    assert (again.document, again.findings) == (exported.document, [])
    return read.document.root, exported.findings


def drawn(task: str) -> tuple[Node, dict[str, Finding]]:
    """The task called work of a drawn model, exported, and the findings about it by code."""
    root, findings = plain(draw([line.format(task) for line in CHAIN], "model"))
    work = next(node for node in root.descendants() if node.get("id") == "work")
    return work, {finding.code: finding for finding in findings if finding.element == "work"}


def text_of(work: Node, *path: str) -> str:
    node = work
    for local in path:
        found = node.first(bpmn(local))
        assert found is not None, local
        node = found
    return node.text


WHO = ("resourceAssignmentExpression", "formalExpression")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_model_of_the_scenarios_keeps_its_flow_and_loses_nothing_without_saying_so(path: Path) -> None:
    models = {tuple(scenario.model) for scenario in read_scenarios(path)}
    for lines in models:
        if lines and not lines[0].startswith("@"):
            plain(draw([line for line in lines if line.split()[0] not in ("form", "process")], path.stem))


@pytest.mark.parametrize("name", ["purchase.bpmn", "urgent.bpmn"])
def test_the_examples_are_exported(name: str) -> None:
    content = next(ROOT.glob(f"examples/*/{name}")).read_bytes()
    _, findings = plain(content)
    assert {finding.severity for finding in findings} == {"info", "warning"}


@needs("bpmn-miwg")
def test_what_other_tools_wrote_is_exported_without_what_is_theirs_alone() -> None:
    exported = 0
    # A quarter of them: what other tools write is alike.
    for path in sorted((SHARED / "conformance" / "bpmn-miwg").rglob("*.bpmn"))[::4]:
        content = path.read_bytes()
        read, findings = read_bpmn(content, path.name)
        if read is not None and not has_errors(findings):
            plain(content)
            exported += 1
    assert exported > 20


def test_one_person_is_the_human_performer() -> None:
    work, findings = drawn('userTask work assignee="= starter.manager"')
    assert text_of(work, "humanPerformer", *WHO) == "starter.manager"
    assert findings["export.performer"].severity == "info"
    # Another tool has no starter.
    assert (findings["export.context"].severity, findings["export.context"].details["names"]) == ("warning", "starter")
    work, findings = drawn("userTask work assignee=starter")
    assert text_of(work, "humanPerformer", *WHO) == '"starter"'
    assert "export.context" not in findings


def test_candidates_are_potential_owners_and_so_is_the_group_of_a_lane() -> None:
    work, findings = drawn("userTask work candidateGroups=finance,audit candidateUsers=li")
    owners = [node.first(bpmn(WHO[0])) for node in work.elements(bpmn("potentialOwner"))]
    assert [text_of(owner, WHO[1]) for owner in owners if owner is not None] == ['["finance", "audit"]', '"li"']
    assert findings["export.owners"].severity == "info"
    content = draw(["startEvent start", "userTask work", "endEvent end", "start -> work -> end"], "model")
    lane = b'<laneSet id="l"><lane id="a" name="Shown" noria:group="f"><flowNodeRef>work</flowNodeRef></lane></laneSet>'
    root, _ = plain(content.replace(b'isExecutable="true">', b'isExecutable="true">' + lane, 1))
    work = next(node for node in root.descendants() if node.get("id") == "work")
    assert text_of(work, "potentialOwner", *WHO) == '"f"'


@pytest.mark.parametrize(
    ("mode", "sequential", "completion", "code"),
    [
        ("allOf", "false", None, "export.instances"),
        ("inTurn", "true", None, "export.instances"),
        ("anyOf", "false", "numberOfCompletedInstances >= 1", "export.first_decides"),
    ],
)
def test_an_approval_of_several_is_one_instance_for_each_of_them(
    mode: str, sequential: str, completion: str | None, code: str
) -> None:
    work, findings = drawn(f'userTask work approval={mode} approvers="= [a, b]"')
    marker = work.first(bpmn("multiInstanceLoopCharacteristics"))
    assert marker is not None
    assert marker.get("isSequential") == sequential
    assert text_of(marker, "loopCardinality") == "count([a, b])"
    condition = marker.first(bpmn("completionCondition"))
    assert (condition.text if condition is not None else None) == completion
    assert text_of(work, "humanPerformer", *WHO) == "([a, b])[loopCounter]"
    assert findings[code].severity == "warning"


def test_a_vote_is_one_plain_task_since_its_rule_has_no_standard_word() -> None:
    work, findings = drawn('userTask work approval=vote passShare=0.5 approvers="= [a, b]"')
    assert work.first(bpmn("multiInstanceLoopCharacteristics")) is None
    assert text_of(work, "potentialOwner", *WHO) == "[a, b]"
    assert findings["export.no_rule"].severity == "warning"
    assert "noria:passShare = 0.5" in text_of(work, "documentation")


def test_approvers_of_no_approval_are_described_and_nobody_is_asked_by_them() -> None:
    work, findings = drawn("userTask work approvers=li assignee=wang")
    assert "noria:approvers = li" in text_of(work, "documentation")
    assert findings["export.described"].severity == "warning"
    assert text_of(work, "humanPerformer", *WHO) == '"wang"'


def test_an_approval_of_one_is_a_task_of_that_one() -> None:
    work, findings = drawn("userTask work approval=allOf approvers=li")
    assert text_of(work, "humanPerformer", *WHO) == '"li"'
    assert findings["export.single"].severity == "warning"


def test_a_limit_goes_into_the_documentation_and_a_finding_says_so() -> None:
    work, findings = drawn("userTask work assignee=li dueIn=PT8H calendar=default")
    said = text_of(work, "documentation")
    assert "noria:dueIn = PT8H" in said
    assert "noria:calendar = default" in said
    assert findings["export.described"].severity == "warning"


def test_documentation_that_was_there_stays_first() -> None:
    content = draw([line.format("userTask work assignee=li dueIn=PT8H") for line in CHAIN], "model")
    task = content.index(b">", content.index(b'id="work"')) + 1
    root, _ = plain(content[:task] + b"<documentation>Read it.</documentation>" + content[task:])
    work = next(node for node in root.descendants() if node.get("id") == "work")
    notes = [node.text for node in work.elements(bpmn("documentation"))]
    assert notes[0] == "Read it."
    assert "PT8H" in notes[1]


def test_a_topic_is_an_operation_that_is_read_back_as_the_same_topic() -> None:
    content = draw(["startEvent start", "serviceTask work topic=mail", "endEvent end", "start -> work -> end"], "m")
    exported = export_plain(content, "m.bpmn")
    assert exported.document is not None
    read, _ = read_bpmn(exported.document, "m.bpmn")
    assert read is not None
    graph = compile_bpmn(read)[0][0]
    job = graph.elements[graph.element_of["work"]].job
    assert job is not None
    assert job.topic.constant == "mail"


def test_two_tasks_with_one_topic_invoke_one_operation() -> None:
    lines = ["startEvent start", "serviceTask a topic=t", "serviceTask b topic=t", "endEvent end"]
    root, _ = plain(draw([*lines, "start -> a -> b -> end"], "m"))
    assert len([node for node in root.descendants() if node.local == "operation"]) == 1


def test_a_loop_over_a_variable_is_read_back_as_the_same_loop() -> None:
    content = draw(
        [
            "startEvent start",
            'userTask work assignee="= who"',
            "endEvent end",
            "start -> work -> end",
        ],
        "m",
    )
    marker = (
        b'<multiInstanceLoopCharacteristics noria:collection="= people_asked" noria:item="who" '
        b'noria:outputCollection="answers" noria:outputItem="= answer"/>'
    )
    task = content.index(b">", content.index(b'id="work"')) + 1
    exported = export_plain(content[:task] + marker + content[task:], "m.bpmn")
    assert exported.document is not None
    read, _ = read_bpmn(exported.document, "m.bpmn")
    assert read is not None
    graphs, findings = compile_bpmn(read)
    assert findings == []
    loop = graphs[0].elements[graphs[0].element_of["work"]].loop
    assert loop is not None
    assert (loop.collection and loop.collection.source, loop.item) == ("people_asked", "who")
    assert (loop.output_collection, loop.output_item and loop.output_item.source) == ("answers", "answer")


def test_what_other_vendors_say_is_left_out_by_name_and_their_colours_are_counted() -> None:
    content = example_files()["purchase.bpmn"].decode()
    content = content.replace(
        "<bpmn:definitions ", '<bpmn:definitions xmlns:c="urn:c" xmlns:paint="urn:paint" ', 1
    ).replace('id="finance_review"', 'id="finance_review" c:owner="li"', 1)
    content = content.replace('<bpmndi:BPMNShape id="', '<bpmndi:BPMNShape paint:fill="red" id="')
    _, findings = plain(content.encode())
    left = {finding.code: finding for finding in findings}
    assert (left["export.foreign"].element, left["export.foreign"].severity) == ("finance_review", "warning")
    assert "c:owner" in left["export.foreign"].message
    assert left["export.drawing"].details["namespace"] == "urn:paint"
    assert int(left["export.drawing"].details["count"]) > 3


def test_a_prefix_that_a_type_is_named_by_stays_declared() -> None:
    content = draw(["startEvent start", "endEvent end", "start -> end"], "m").replace(
        b"<process", b'<itemDefinition xmlns:x="urn:types" id="i" structureRef="x:Order"/><process', 1
    )
    exported = export_plain(content, "m.bpmn").document
    assert exported is not None
    assert NORIA.encode() not in exported
    assert b'xmlns:x="urn:types"' in exported


@pytest.mark.parametrize("content", [b"<x/>", b"no xml", b"<!DOCTYPE x><x/>"], ids=["no BPMN", "no XML", "DOCTYPE"])
def test_what_cannot_be_read_is_not_written(content: bytes) -> None:
    exported = export_plain(content, "x.bpmn")
    assert exported.document is None
    assert has_errors(exported.findings)


def test_a_finding_has_its_sentence_in_both_languages_here_and_on_the_pages() -> None:
    chinese = json.loads((ROOT / "web" / "src" / "i18n" / "findings.zh-CN.json").read_text(encoding="utf-8"))
    assert {code: text.zh for code, text in SENTENCES.items()} == {
        code: text for code, text in chinese.items() if code.startswith("export.")
    }
    _, findings = drawn("userTask work assignee=li dueIn=PT8H")
    assert "PT8H" in sentence(findings["export.described"], "zh")
    assert sentence(findings["export.described"], "zh") != sentence(findings["export.described"], "en")


def test_the_file_itself_is_not_changed_by_looking_at_it() -> None:
    content = example_files()["purchase.bpmn"]
    before = read_xml(content)
    export_plain(content, "purchase.bpmn")
    assert [node.attributes for node in read_xml(content).root.descendants()] == [
        node.attributes for node in before.root.descendants()
    ]
