"""The command line without a server: check, run, decide, deploy, verify."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from noria.adapters.cli import simulation
from noria.adapters.cli.cli import group
from noria.bootstrap import Composition, Noria
from noria.engine import commands as c
from noria.operate.requests import Request
from tests.scenarios.drawing import draw

EXAMPLE = Path(__file__).parents[2] / "examples" / "purchase"
PURCHASE = {
    "title": "轴承",
    "category": "material",
    "supplier": "精工",
    "needed_on": "2026-12-20",
    "amount": 68_400,
    "lines": [{"item": "轴承", "quantity": 400, "price": 171}],
}


def noria(*arguments: object) -> Result:
    return CliRunner().invoke(group, [str(item) for item in arguments], obj=Composition())


def files() -> list[Path]:
    return sorted(path for path in EXAMPLE.iterdir() if path.suffix in (".bpmn", ".dmn", ".form"))


def test_check_passes_a_good_model() -> None:
    result = noria("check", *files())
    assert result.exit_code == 0, result.output


def test_check_prints_one_finding_a_line_and_exits_1_on_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.bpmn"
    path.write_bytes(
        draw(["startEvent start", "userTask a", "serviceTask b", "endEvent end", "start -> a -> b -> end"])
    )
    result = noria("check", path)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert all(re.match(rf"{re.escape(str(path))}:\d+: [ab]: bpmn\.\w+: .+", line) for line in lines), lines


def test_check_against_a_database_knows_what_is_deployed_and_which_calendars_there_are(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert noria("deploy", *files(), "--data", data).exit_code == 0
    lines = ["startEvent start", "userTask a assignee=x form=review dueIn=P1D calendar={}", "endEvent end"]
    path = tmp_path / "limited.bpmn"

    path.write_bytes(draw([*(line.format("plant") for line in lines), "start -> a -> end"]))
    result = noria("check", path, "--data", data)
    assert result.exit_code == 1
    assert re.fullmatch(rf"{re.escape(str(path))}:\d+: a: calendar\.unknown: .*'plant'.*\n", result.stdout)
    assert "form.unknown" in noria("check", path).stdout

    path.write_bytes(draw([*(line.format("default") for line in lines), "start -> a -> end"]))
    assert noria("check", path, "--data", data).exit_code == 0


def test_check_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    result = noria("check", *files(), "--data", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "no database" in result.stderr
    assert not (tmp_path / "nowhere").exists()


def test_run_prints_the_events_of_a_trial_one_a_line() -> None:
    result = noria("run", *files(), "--variables", json.dumps(PURCHASE), "--complete", "all", "--trace")
    assert result.exit_code == 0, result.output
    events = [line.split()[1] for line in result.stdout.splitlines()]
    assert events[0] == "InstanceStarted"
    assert events[-1] == "InstanceCompleted"
    assert "TaskOpened gm_review" in " ".join(" ".join(line.split()[1:3]) for line in result.stdout.splitlines())


def test_run_says_which_fields_are_wrong_and_exits_1() -> None:
    result = noria("run", *files(), "--variables", "{}")
    assert result.exit_code == 1
    assert "form.invalid" in result.stderr
    assert "supplier" in result.stderr


def test_run_asks_for_the_values_of_each_task(tmp_path: Path) -> None:
    path = tmp_path / "ask.bpmn"
    path.write_bytes(draw(["startEvent start", "userTask a assignee=x", "endEvent end", "start -> a -> end"]))
    result = CliRunner().invoke(group, ["run", str(path), "--complete", "ask", "--trace"], obj=None, input='{"n": 5}\n')
    assert result.exit_code == 0, result.output
    assert '"n": 5' in result.stdout


def test_run_moves_a_virtual_clock_to_the_next_timer(tmp_path: Path) -> None:
    path = tmp_path / "later.bpmn"
    path.write_bytes(
        draw(["startEvent start", "intermediateCatchEvent later timer=P30D", "endEvent end", "start -> later -> end"])
    )
    lines = noria("run", path).stdout.splitlines()
    assert lines[0][:10] < lines[-1][:10], "a month has passed"


def test_decide_prints_the_value_and_the_rows_that_decided() -> None:
    result = noria(
        "decide",
        EXAMPLE / "approval.dmn",
        "--decision",
        "approval_policy",
        "--variables",
        '{"category": "equipment", "amount": 60000}',
    )
    assert json.loads(result.stdout)["needs_general_manager"] is True
    assert "row 1" in result.stderr


def test_decide_explains_each_row_and_where_a_null_is_from() -> None:
    result = noria(
        "decide",
        EXAMPLE / "approval.dmn",
        "--decision",
        "approval_policy",
        "--variables",
        '{"category": "equipment"}',
        "--explain",
    )
    assert json.loads(result.stdout)["needs_general_manager"] is False
    assert "row 1: no, amount = null cannot be compared with >= 50000, after 1 that passed" in result.stderr
    assert "row 4: matches" in result.stderr
    assert "row 2, column amount, in >= 100000" in result.stderr


def test_check_warns_of_gaps_in_a_decision_table_and_still_succeeds(tmp_path: Path) -> None:
    text = (EXAMPLE / "approval.dmn").read_text(encoding="utf-8").replace('hitPolicy="FIRST"', 'hitPolicy="UNIQUE"')
    (tmp_path / "approval.dmn").write_text(text, encoding="utf-8")
    result = noria("check", tmp_path / "approval.dmn")
    assert result.exit_code == 0
    assert "dmn.rules_overlap" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["decide", EXAMPLE / "approval.dmn", "--decision", "none"], "There is no decision 'none'"),
        (["run", *files(), "--variables", "[1]"], "--variables is a JSON object"),
        (["run", *files(), "--process", "none"], "There is no process 'none'"),
        (["check", "no-such-file.bpmn"], "does not exist"),
        (["audit", "verify", "--data", "a", "--database", "sqlite:///b"], "not both"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(arguments: list[object], sentence: str) -> None:
    result = noria(*arguments)
    assert result.exit_code != 0
    assert sentence in result.output


def test_deploy_takes_all_files_or_none(tmp_path: Path) -> None:
    bad = tmp_path / "bad.bpmn"
    bad.write_bytes(b"<nonsense/>")
    refused = noria("deploy", *files(), bad, "--data", tmp_path / "data")
    assert refused.exit_code == 1
    done = noria("deploy", *files(), "--data", tmp_path / "data")
    assert done.stdout.splitlines()[-1] == "purchase version 1: 采购申请"


def test_what_is_deployed_or_refused_from_the_command_line_is_on_record(tmp_path: Path) -> None:
    bad = tmp_path / "bad.bpmn"
    bad.write_bytes(b"<nonsense/>")
    noria("deploy", bad, "--data", tmp_path)
    noria("deploy", *files(), "--data", tmp_path)
    with sqlite3.connect(tmp_path / "noria.db") as database:
        rows = database.execute("SELECT actor, action, outcome, after FROM audit ORDER BY seq").fetchall()
    assert rows == [
        ("cli", "models.deployed", "refused", "{}"),
        ("cli", "models.deployed", "ok", '{"purchase":1}'),
    ]


# The audit trail


async def _work(url: str) -> None:
    """A few instances, some of them completed."""
    root = await Noria.open(url)
    model = draw(["startEvent start", "userTask a assignee=x", "endEvent end", "start -> a -> end"], "tiny")
    await root.catalogue.deploy(1, "cli", {"tiny.bpmn": model}, root.clock.now_ms(), root.facts(1))
    await root.first_administrator()
    await root.services.accounts.sign_in(1, "admin", "wrong", now_ms=1, address="127.0.0.1", device="test")
    await root.runtime.start()
    definition = root.catalogue.find(1, "tiny")
    assert definition is not None
    for number in range(6):
        start = c.StartInstance("x", {"id": "x"}, {"amount": number})
        started = await root.runtime.submit(Request(start, "x", definition=definition.id))
        token = next(iter((await root.runtime.instance(started.iid)).state.tasks))  # type: ignore[union-attr]
        if number % 2:
            await root.runtime.submit(Request(c.CompleteTask(token, "x"), "x", iid=started.iid))  # type: ignore[union-attr]
    await root.close()


@pytest.fixture
async def worked(tmp_path: Path) -> Path:
    path = tmp_path / "noria.db"
    await _work(f"sqlite:///{path}")
    return path


def verified(path: Path) -> Result:
    """Verify in a fresh process's way: the command runs its own loop."""
    return CliRunner().invoke(group, ["audit", "verify", "--database", f"sqlite:///{path}"], obj=Composition())


TAMPERINGS = {
    "an event": ("UPDATE journal SET ev = ev || x'00' WHERE action = 'start_instance'", "journal/"),
    "an actor": ("UPDATE journal SET actor = 'somebody' WHERE action = 'complete_task'", "journal/"),
    "a missing row": ("DELETE FROM journal WHERE action = 'complete_task'", "journal/"),
    "a stored state": (
        "UPDATE inst SET state = (SELECT state FROM inst ORDER BY iid LIMIT 1) WHERE ver = 2",
        "instance/",
    ),
    "a sign-in": ("UPDATE audit SET outcome = 'ok'", "records/1"),
    "a missing record": ("DELETE FROM audit", "records/1"),
}


async def test_an_untouched_trail_verifies(worked: Path) -> None:
    result = await _in_thread(worked)
    assert result.exit_code == 0, result.output
    assert "OK" in result.stdout


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_the_first_bad_entry_is_named_after_somebody_changed(worked: Path, what: str) -> None:
    statement, entry = TAMPERINGS[what]
    with sqlite3.connect(worked) as db:
        changed = db.execute(statement).rowcount
    db.close()
    assert changed > 0
    result = await _in_thread(worked)
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith(f"BAD {entry}"), result.stdout


async def _in_thread(path: Path) -> Result:
    return await asyncio.to_thread(verified, path)


# People


def test_people_are_imported_when_nothing_is_wrong_and_shown_before(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("id,username,name\nlin,lin,林晓\nwang,lin,王强\n", encoding="utf-8")
    wrong = noria("people", "import", table, "--apply", "--data", tmp_path)
    assert wrong.exit_code == 1
    assert wrong.stdout.splitlines()[0].startswith("people:3: username: person.username_taken: ")
    table.write_text("id,username,name\nlin,lin,林晓\nwang,wang,王强\n", encoding="utf-8")
    shown = noria("people", "import", table, "--data", tmp_path)
    assert (shown.exit_code, "Not written yet" in shown.stdout) == (0, True)
    assert noria("people", "import", table, "--apply", "--data", tmp_path).exit_code == 0
    again = noria("people", "import", table, "--apply", "--data", tmp_path)
    assert again.stdout.startswith("0 added, 0 changed, 0 deactivated, 2 as they are. Written")


@pytest.mark.parametrize("name", ["people.xlsx", "people.zip"])
def test_people_are_exported_as_what_can_be_imported(tmp_path: Path, name: str) -> None:
    table = tmp_path / "people.csv"
    table.write_text("id,username,name\nlin,lin,林晓\n", encoding="utf-8")
    noria("people", "import", table, "--apply", "--data", tmp_path / "one")
    done = noria("people", "export", tmp_path / name, "--chinese", "--data", tmp_path / "one")
    assert done.exit_code == 0, done.output
    taken = noria("people", "export", tmp_path / name, "--data", tmp_path / "one")
    assert (taken.exit_code, "is there already" in taken.stderr) == (1, True)
    loaded = noria("people", "import", tmp_path / name, "--apply", "--data", tmp_path / "two")
    assert loaded.stdout.splitlines()[-1].startswith("1 added"), loaded.output
    assert noria("people", "export", tmp_path / "people.txt", "--data", tmp_path / "one").exit_code == 2
    assert noria("people", "export", tmp_path / "x.zip", "--at", "soon", "--data", tmp_path / "one").exit_code == 2


# Calendars


def test_a_calendar_is_printed_changed_and_published(tmp_path: Path) -> None:
    shown = noria("calendar", "show", "--data", tmp_path)
    assert shown.exit_code == 0, shown.output
    draft = json.loads(shown.stdout)
    assert draft["base"] == 1
    file = tmp_path / "calendar.json"
    file.write_text(json.dumps({**draft, "hours": {"2026-12-31": ["09:00-12:00"]}}), encoding="utf-8")
    assert (
        noria("calendar", "publish", "default", file, "--note", "半天", "--data", tmp_path).stdout
        == "default version 2\n"
    )
    assert json.loads(noria("calendar", "show", "--data", tmp_path).stdout)["hours"] == {"2026-12-31": ["09:00-12:00"]}
    with sqlite3.connect(tmp_path / "noria.db") as db:
        records = db.execute(
            "SELECT actor, object_id, reason FROM audit WHERE action = 'calendar.published'"
        ).fetchall()
    db.close()
    assert records == [("cli", "default", "半天")]


@pytest.mark.parametrize(("content", "says"), [("{", "is no calendar"), ('{"week": 1}', "is no calendar")])
def test_a_file_that_is_no_calendar_is_refused_with_what_is_wrong(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "calendar.json"
    file.write_text(content, encoding="utf-8")
    result = noria("calendar", "publish", "default", file, "--data", tmp_path)
    assert result.exit_code == 2
    assert says in result.output


def test_the_public_holidays_of_a_year_are_printed() -> None:
    known = json.loads(noria("calendar", "holidays", 2026).stdout)
    assert known["holidays"]["2026-10-01"] == "国庆节"
    assert known["published"]


COMPANY = {
    "units": "id,name,parent,manager\nworks,澄海制造,,zhao\nbuying,采购部,works,wang\n",
    "people": "id,username,name,unit\nzhao,zhao,赵总,works\nwang,wang,王强,buying\nlin,lin,林晓,buying\n",
}


def company(folder: Path) -> list[object]:
    """Options that give a trial a company."""
    options: list[object] = []
    for name, text in COMPANY.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        options += ["--people", folder / f"{name}.csv"]
    return options


def test_a_trial_asks_the_company_that_files_describe(tmp_path: Path) -> None:
    model = tmp_path / "model.bpmn"
    lines = ["startEvent start", "userTask up assignee='= people.managers(starter.id)[2]'", "endEvent end"]
    model.write_bytes(draw([*lines, "start -> up -> end"]))
    done = noria("run", model, *company(tmp_path), "--starter", "lin")
    assert done.exit_code == 0, done.output
    assert '"assignee": "zhao"' in next(line for line in done.stdout.splitlines() if "TaskOpened" in line)
    assert noria("run", model, "--starter", "lin").exit_code == 2
    wrong = tmp_path / "posts.csv"
    wrong.write_text("person,unit\nnobody,works\n", encoding="utf-8")
    refused = noria("run", model, *company(tmp_path), "--people", wrong)
    assert (refused.exit_code, refused.stderr.startswith("posts:2: person: person.not_found")) == (1, True)


def test_a_trial_of_four_eyes_and_of_a_vote_comes_to_its_end(tmp_path: Path) -> None:
    model = tmp_path / "model.bpmn"
    lines = [
        "startEvent start",
        "userTask enter candidateGroups=finance",
        "userTask check candidateGroups=finance separateFrom=enter",
        'userTask vote approval=allOf approvers=\'= ["zhao", "wang"]\'',
        "endEvent end",
        "start -> enter -> check -> vote -> end",
    ]
    model.write_bytes(draw(lines))
    done = noria("run", model)
    assert done.exit_code == 0, done.output
    assert "InstanceCompleted" in done.stdout


def test_a_decision_on_the_command_line_asks_the_company_too(tmp_path: Path) -> None:
    table = tmp_path / "heads.dmn"
    table.write_text(
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
        '<decision id="heads" name="heads"><variable name="heads"/>'
        "<literalExpression><text>people.managers(&quot;lin&quot;)</text></literalExpression></decision></definitions>",
        encoding="utf-8",
    )
    assert noria("decide", table, "--decision", "heads").stdout.strip() == "[]"
    assert noria("decide", table, "--decision", "heads", *company(tmp_path)).stdout.strip() == '["wang", "zhao"]'


def test_a_seed_of_the_simulation_is_replayed_with_its_trace(capfd: pytest.CaptureFixture[str]) -> None:
    assert noria("sim", "--seed", 5).exit_code == 0
    told = capfd.readouterr().out
    assert "<bpmn:process" in told or "<process" in told
    assert told.splitlines()[-1] == "No promise was broken."


def test_an_installed_package_says_where_the_simulation_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(simulation, "CHECKOUT", tmp_path)
    result = noria("sim", "--seed", 5)
    assert result.exit_code == 1
    assert "run it there" in result.output
