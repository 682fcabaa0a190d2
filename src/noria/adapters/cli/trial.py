"""Trial runs without a database: a model in memory on a virtual clock, and single decisions."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from noria.adapters.calendars import CHINA_ZONE, china_calendar
from noria.adapters.cli.options import FILES
from noria.adapters.spreadsheets import SpreadsheetFiles
from noria.adapters.system import SystemClock
from noria.design.dmn import explain
from noria.design.dmn.explaining import lines
from noria.design.feel import to_json
from noria.design.findings import has_errors
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import voting
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.state import State, Status, Task
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.kernel.instants import InstantMs, format_instant, to_datetime
from noria.operate.bundles import Bundle, read_bundle
from noria.operate.rosters import read_sheets
from noria.trust.history import History
from noria.trust.people import Organisation

STEPS_MAX = 10_000

_people = click.option(
    "--people",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Files of people and units as `noria people export` writes them; without any a model finds nobody.",
)


def _company(paths: tuple[Path, ...]) -> Organisation:
    """The organisation that files describe."""
    sheets = SpreadsheetFiles().read({path.name: path.read_bytes() for path in paths}) if paths else []
    reading, members = read_sheets(sheets, History({}, ()), 0)
    if paths and reading.errors:
        for error in reading.errors:
            click.echo(f"{error.sheet}:{error.row}: {error.column or '-'}: {error.code}: {error.message}", err=True)
        raise SystemExit(1)
    return History({}, ()).with_members(members, 0, 0).at(0)


def _variables(text: str) -> dict[str, object]:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--variables is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError("--variables is a JSON object.")
    return value


def _bundle(files: tuple[Path, ...]) -> Bundle:
    bundle = read_bundle({str(path): path.read_bytes() for path in files})
    for finding in bundle.findings:
        click.echo(str(finding), err=True)
    if has_errors(bundle.findings):
        raise SystemExit(1)
    return bundle


class Trial:
    """One instance in memory."""

    def __init__(self, definition: Definition, now_ms: int, facts: Facts, *, trace: bool) -> None:
        self.definition = definition
        self.now_ms = now_ms
        self.facts = facts
        self.trace = trace
        self.state = State()

    def do(self, command: c.AnyCommand) -> Rejected | None:
        """Run a command and print its events, one a line."""
        outcome = step(self.definition, self.state, command, self.now_ms, self.facts)
        if isinstance(outcome, Rejected):
            return outcome
        self.state = outcome.state
        for event in outcome.events:
            if self.trace or not isinstance(event, e.VariablesSet | e.ScopeOpened):
                self._print(event)
        return None

    def _print(self, event: e.AnyEvent) -> None:
        fields = msgspec.to_builtins(msgspec.structs.asdict(event))
        element = fields.pop("element", None)
        place = self.definition.graph.elements[element].id if isinstance(element, int) else ""
        shown = json.dumps(fields, ensure_ascii=False, default=str)
        click.echo(f"{format_instant(InstantMs(self.now_ms))} {type(event).__name__} {place} {shown}".rstrip())

    def finish(self, *, ask: bool) -> Rejected | None:
        """Complete what is open, one by one, moving the clock to the next timer when nothing else can go on."""
        for _ in range(STEPS_MAX):
            if self.state.status is not Status.OPEN:
                return None
            command = self._next(ask=ask)
            if command is None:
                return None
            rejected = self.do(command)
            if rejected is not None:
                return rejected
        return Rejected("trial.too_long", f"The trial run took more than {STEPS_MAX} steps.")

    def _next(self, *, ask: bool) -> c.AnyCommand | None:
        state = self.state
        for token, task in state.tasks.items():
            values = self._asked(task.element, "task") if ask else self._form_values(task.form)
            outcome = voting.APPROVE if state.tokens[token].scope in state.approvals else ""
            return c.CompleteTask(token, self._doer(task), values, outcome=outcome)
        for token, job in sorted(state.jobs.items(), key=lambda item: -item[1].priority):
            return c.CompleteJob(token, "trial", self._asked(job.element, "job") if ask else {})
        if state.timers:
            key, timer = min(state.timers.items(), key=lambda item: (item[1].due_ms, -item[1].priority))
            self.now_ms = max(self.now_ms, timer.due_ms)
            return c.FireTimer(key)
        for key, wait in state.waits.items():
            return c.Correlate(key, self._asked(wait.element, "message") if ask else {})
        return None

    @staticmethod
    def _doer(task: Task) -> str:
        """Who does a task: its assignee or a candidate; of a group whom nothing keeps from it."""
        if task.assignee:
            return task.assignee
        group = task.groups[0] if task.groups else ""
        members = (group, *(f"{group}-{number}" for number in range(2, len(task.excluded) + 3))) if group else ()
        people = (*task.users, *members)
        return next((person for person in people if person not in task.excluded), people[0])

    def _asked(self, element: int, what: str) -> dict[str, object]:
        name = self.definition.graph.elements[element].id
        return _variables(click.prompt(f"{what} {name}: variables as JSON", default="{}", err=True))

    def _form_values(self, form: str) -> dict[str, object]:
        """What the form would hold unchanged: the process's own variables of its fields."""
        known = self.definition.forms.get(form)
        if known is None:
            return {}
        variables = self.state.scopes[0].variables
        return {
            field.key or field.path: variables[field.key or field.path]
            for field in known.fields
            if (field.key or field.path) in variables and not field.read_only
        }


@click.command("run")
@FILES
@click.option("--variables", default="{}", help="Variables of the start, a JSON object.")
@click.option("--process", default="", help="Which process, when the files hold several.")
@click.option("--complete", type=click.Choice(["all", "ask"]), default="all", help="Complete tasks by itself, or ask.")
@click.option("--trace", is_flag=True, help="Print every event.")
@_people
@click.option("--starter", default="", help="Person id of who starts it, one of --people.")
def run_command(
    files: tuple[Path, ...],
    variables: str,
    process: str,
    complete: str,
    people: tuple[Path, ...],
    starter: str,
    *,
    trace: bool,
) -> None:
    """Run a model in memory on a virtual clock and print what happens, one event a line."""
    bundle = _bundle(files)
    graphs = {graph.key: graph for _, graph in bundle.graphs}
    if process and process not in graphs:
        raise click.UsageError(f"There is no process {process!r}; there are {', '.join(graphs) or 'none'}.")
    if not process and len(graphs) != 1:
        raise click.UsageError(f"Name one of {', '.join(graphs) or 'no'} processes with --process.")
    graph = graphs[process or next(iter(graphs))]
    now_ms = SystemClock().now_ms()
    year = to_datetime(now_ms).year
    company = _company(people)
    facts = Facts({"default": china_calendar(range(year - 1, year + 3))}, CHINA_ZONE, people=company)
    trial = Trial(Definition(graph, 1, bundle.decisions, bundle.forms), now_ms, facts, trace=trace)
    begun_by: dict[str, object] = {"id": "starter", "name": "starter", "unit": "unit", "manager": "manager"}
    if starter:
        known = company.people.get(starter)
        if known is None or not known.active:
            raise click.UsageError(f"There is no active person {starter!r} in the files of --people.")
        begun_by = company.snapshot(known)
    starts = [graph.elements[index] for index in graph.elements[0].starts]
    triggered = all(start.instantiates and start.triggers for start in starts)
    begin = c.StartInstance(
        starter or "starter", begun_by, _variables(variables), "TRIAL-1", starts[0].id if triggered and starts else ""
    )
    rejected = trial.do(begin) or trial.finish(ask=complete == "ask")
    if rejected is not None:
        click.echo(f"{rejected.code}: {rejected.message} {json.dumps(rejected.details, ensure_ascii=False)}", err=True)
        raise SystemExit(1)
    for incident in trial.state.incidents.values():
        click.echo(f"{incident.code}: {incident.message}", err=True)
    if trial.state.status is not Status.COMPLETED:
        raise SystemExit(1)


@click.command("decide")
@FILES
@click.option("--decision", required=True, help="Id or name of the decision.")
@click.option("--variables", default="{}", help="Input data, a JSON object.")
@click.option("--explain", "explained", is_flag=True, help="Print why: inputs, every row, and where each null is from.")
@_people
def decide_command(
    files: tuple[Path, ...], decision: str, variables: str, people: tuple[Path, ...], *, explained: bool
) -> None:
    """Make a decision and print its value as JSON; the rows that decided go to the error output.

    Give the files that the decision's file imports as well.
    """
    bundle = _bundle(files)
    found = next((item for item in bundle.decisions.values() if decision in (item.id, item.name)), None)
    if found is None:
        names = ", ".join(item.name for item in bundle.decisions.values())
        raise click.UsageError(f"There is no decision {decision!r}; there are {names or 'none'}.")
    context = Facts(people=_company(people)).context(SystemClock().now_ms())
    if explained:
        result, explanation = explain(found, _variables(variables), context)
        for line in lines(explanation):
            click.echo(line, err=True)
    else:
        result = found.evaluate(_variables(variables), context)
        for hit in result.matched:
            click.echo(f"row {hit.rule_index + 1} of {hit.table_id}", err=True)
        for reason in context.diagnostics:
            click.echo(f"null because: {reason.code}: {reason.message}", err=True)
    click.echo(json.dumps(to_json(result.value), ensure_ascii=False))
