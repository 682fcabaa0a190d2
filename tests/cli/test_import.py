"""`noria import`: what it writes, prints and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from noria.adapters.cli.cli import group
from noria.bootstrap import Composition

GOOD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:c="http://camunda.org/schema/1.0/bpmn"
 targetNamespace="t"><process id="leave" isExecutable="true"><startEvent id="s"/>
 <userTask id="approve" c:assignee="${boss}"><extensionElements><c:formData>
 <c:formField id="days" label="Days" type="long"/></c:formData></extensionElements></userTask><endEvent id="e"/>
 <sequenceFlow id="a" sourceRef="s" targetRef="approve"/><sequenceFlow id="b" sourceRef="approve" targetRef="e"/>
 </process></definitions>"""
HARD = GOOD.replace('c:assignee="${boss}"', 'c:assignee="${people.bossOf(starter)}" c:candidateGroups="sales"')
TABLE = """<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd" id="d" name="d" namespace="x">
 <decision id="rate" name="Rate"><decisionTable id="t"><input id="i"><inputExpression id="ie" typeRef="integer">
 <text>amount</text></inputExpression></input><output id="o" name="rate" typeRef="string"/><rule id="r">
 <inputEntry id="en"><text>&gt; 5</text></inputEntry><outputEntry id="ou"><text>"high"</text></outputEntry></rule>
 </decisionTable></decision></definitions>"""


INVOICE = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
 targetNamespace="t"><process id="invoice" isExecutable="true" camunda:historyTimeToLive="30">
 <startEvent id="s" camunda:initiator="clerk"/>
 <scriptTask id="rate" scriptFormat="javascript" camunda:resultVariable="big">
 <script>return amount &gt;= 1000;</script></scriptTask>
 <exclusiveGateway id="g"/>
 <userTask id="approve" name="Approve" camunda:assignee="${clerk}"
 camunda:dueDate="${dateTime().plusDays(2).toDate()}">
 <multiInstanceLoopCharacteristics isSequential="false" camunda:collection="approvers"
 camunda:elementVariable="approver">
 <completionCondition>${nrOfCompletedInstances/nrOfInstances &gt;= 0.5}</completionCondition>
 </multiInstanceLoopCharacteristics>
 </userTask>
 <serviceTask id="note" camunda:expression="${execution.setVariable('noted', !big || empty approvers)}"/>
 <endEvent id="e"/><sequenceFlow id="a" sourceRef="s" targetRef="rate"/><sequenceFlow id="b"
 sourceRef="rate" targetRef="g"/>
 <sequenceFlow id="c" sourceRef="g" targetRef="approve"><conditionExpression>${big}</conditionExpression>
 </sequenceFlow>
 <sequenceFlow id="d" sourceRef="g" targetRef="note"/><sequenceFlow id="f" sourceRef="approve" targetRef="note"/>
 <sequenceFlow id="h" sourceRef="note" targetRef="e"/></process></definitions>"""
HOLIDAY = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:flowable="http://flowable.org/bpmn"
 targetNamespace="t"><process id="holiday"><startEvent id="s" flowable:initiator="employee"/>
 <userTask id="ask" flowable:assignee="${employee}" flowable:skipExpression="${days lt 1}"/>
 <sequenceFlow sourceRef="s" targetRef="ask"/><exclusiveGateway id="g"/><sequenceFlow sourceRef="ask" targetRef="g"/>
 <sequenceFlow sourceRef="g" targetRef="wait"><conditionExpression>${var:gte(days, 3)}</conditionExpression>
 </sequenceFlow>
 <sequenceFlow sourceRef="g" targetRef="e"/>
 <intermediateCatchEvent id="wait"><timerEventDefinition><timeCycle>0 0/5 * * * ?</timeCycle></timerEventDefinition>
 </intermediateCatchEvent><sequenceFlow sourceRef="wait" targetRef="e"/><endEvent id="e"/></process></definitions>"""
ORDER = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
 targetNamespace="t"><process id="order" isExecutable="true"><startEvent id="s"/>
 <scriptTask id="sum"><extensionElements><zeebe:script
 expression="=sum(for line in lines return line.price)" resultVariable="total"/>
 </extensionElements></scriptTask>
 <userTask id="check"><extensionElements><zeebe:userTask/><zeebe:assignmentDefinition assignee="=starter.id"/>
 <zeebe:ioMapping>
 <zeebe:input source="=total" target="shown.total"/><zeebe:output source="=shown.total" target="checked"/>
 </zeebe:ioMapping>
 </extensionElements></userTask><endEvent id="e"/><sequenceFlow id="a" sourceRef="s" targetRef="sum"/>
 <sequenceFlow id="b" sourceRef="sum" targetRef="check"/><sequenceFlow id="c" sourceRef="check" targetRef="e"/>
 </process></definitions>"""


def noria(*arguments: object) -> Result:
    return CliRunner().invoke(group, [str(item) for item in arguments], obj=Composition())


def written(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def test_it_writes_the_model_and_its_form_and_noria_checks_them(tmp_path: Path) -> None:
    result = noria("import", *written(tmp_path, leave__bpmn20__xml=GOOD), "--to", tmp_path / "out")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["leave.bpmn", "leave_approve.form"]
    assert noria("check", *(tmp_path / "out").iterdir()).exit_code == 0


def test_it_exits_1_when_something_needs_work_and_says_where(tmp_path: Path) -> None:
    result = noria("import", *written(tmp_path, leave__bpmn=HARD), "--to", tmp_path / "out")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.endswith("(needs work)")]
    assert line.startswith("leave.bpmn:3: approve: import.expression: camunda:assignee: ")


def test_it_exits_2_when_a_file_cannot_be_read_and_still_writes_the_others(tmp_path: Path) -> None:
    files = written(tmp_path, leave__bpmn=GOOD, broken__bpmn="<definitions")
    result = noria("import", *files, "--to", tmp_path / "out")
    assert result.exit_code == 2
    assert "import.unreadable" in result.stdout
    assert (tmp_path / "out" / "leave.bpmn").exists()
    assert not (tmp_path / "out" / "broken.bpmn").exists()


def test_no_file_is_overwritten_that_was_read_or_just_written(tmp_path: Path) -> None:
    files = written(tmp_path, leave__bpmn=GOOD)
    assert noria("import", *files, "--to", tmp_path).exit_code == 2
    assert files[0].read_text(encoding="utf-8") == GOOD
    other = tmp_path / "other"
    other.mkdir()
    assert noria("import", *files, *written(other, leave__bpmn=GOOD), "--to", tmp_path / "out").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_what_was_imported_before_is_replaced_only_when_asked(tmp_path: Path) -> None:
    files = written(tmp_path, leave__bpmn=GOOD)
    noria("import", *files, "--to", tmp_path / "out")
    edited = tmp_path / "out" / "leave.bpmn"
    edited.write_text("edited", encoding="utf-8")
    again = noria("import", *files, "--to", tmp_path / "out")
    assert again.exit_code == 2
    assert "--overwrite" in again.output
    assert edited.read_text(encoding="utf-8") == "edited"
    assert noria("import", *files, "--to", tmp_path / "out", "--overwrite").exit_code == 0
    assert edited.read_text(encoding="utf-8") != "edited"


def test_the_report_is_json_when_asked_with_both_languages(tmp_path: Path) -> None:
    result = noria("import", *written(tmp_path, leave__bpmn=GOOD), "--to", tmp_path / "out", "--report", "json")
    (file,) = json.loads(result.stdout)
    assert file["written"] == str(tmp_path / "out" / "leave.bpmn")
    assert file["forms"] == ["leave_approve.form"]
    assignee = next(line for line in file["lines"] if line["code"] == "import.assignee")
    assert assignee["outcome"] == "mapped"
    assert assignee["element"] == "approve"
    assert assignee["attribute"] == "camunda:assignee"
    assert assignee["sentences"] == {"en": "The assignee is ${boss}.", "zh": "办理人为 ${boss}。"}


def test_the_report_speaks_chinese_when_asked(tmp_path: Path) -> None:
    files = written(tmp_path, leave__bpmn=GOOD)
    result = noria("import", *files, "--to", tmp_path / "out", "--language", "zh")
    assert "办理人为 ${boss}。 (已映射)" in result.stdout


@pytest.mark.parametrize(
    ("text", "variables", "passes", "sets"),
    [
        (INVOICE, {"amount": 2000, "approvers": ["a", "b"]}, ["rate", "g", "approve", "note", "e"], '{"noted": false}'),
        (INVOICE, {"amount": 1}, ["rate", "g", "note", "e"], '{"noted": true}'),
        (HOLIDAY, {"days": 5}, ["skip_ask", "ask", "after_ask", "g", "wait", "e"], '{"employee": "starter"}'),
        (HOLIDAY, {"days": 0, "_FLOWABLE_SKIP_EXPRESSION_ENABLED": True}, ["skip_ask", "after_ask", "g", "e"], "{"),
        (ORDER, {"lines": [{"price": 2}, {"price": 3}]}, ["sum", "check", "e"], '{"checked": 5}'),
    ],
    ids=["invoice", "small invoice", "holiday", "skipped holiday", "order"],
)
def test_what_was_imported_runs_as_it_ran(
    tmp_path: Path, text: str, variables: dict[str, object], passes: list[str], sets: str
) -> None:
    assert noria("import", *written(tmp_path, model__bpmn=text), "--to", tmp_path / "out").exit_code == 0
    model = tmp_path / "out" / "model.bpmn"
    result = noria("run", model, "--variables", json.dumps(variables), "--complete", "all", "--trace")
    assert result.exit_code == 0, result.output
    events = [line.split(maxsplit=3) for line in result.stdout.splitlines()]
    assert events[-1][1] == "InstanceCompleted"
    left = [event[2] for event in events if event[1] == "ElementLeft"]
    assert [element for element in dict.fromkeys(left) if element != "s"] == passes
    assert sets in result.stdout


def test_an_old_decision_table_decides_here(tmp_path: Path) -> None:
    result = noria("import", *written(tmp_path, rate__dmn=TABLE), "--to", tmp_path / "out")
    assert result.exit_code == 0, result.output
    decided = noria("decide", tmp_path / "out" / "rate.dmn", "--decision", "rate", "--variables", '{"amount": 6}')
    assert decided.stdout.strip() == '"high"'
