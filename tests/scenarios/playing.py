"""Plays a scenario file: a model, what people and machines do, and what must then be true.

Lines before ``----`` act, lines behind it expect; a further ``----`` goes back to acting. After every line the laws
of all of them are checked: the same command gives the same bytes twice, and replaying the events gives the state.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from noria.adapters.calendars import china_calendar
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.evolve import replay
from noria.engine.facts import Facts
from noria.engine.state import Job, State, Status, Timer, encode_state
from noria.engine.step import carefully, step
from noria.engine.tasks import taking_back
from noria.kernel.calendar import WorkCalendar
from noria.kernel.errors import Rejected
from noria.kernel.instants import add_duration, parse_duration, parse_instant
from noria.operate.bundles import read_bundle
from tests.scenarios.company import COMPANY, changed
from tests.scenarios.drawing import draw

BEGIN = "2026-03-02T09:00:00+08:00"  # a Monday, at the beginning of work
CHINA = china_calendar(range(2025, 2029))
NIGHT = WorkCalendar("night", 1, "Asia/Shanghai", (((1320, 1800),),) * 7, horizon=CHINA.horizon)
FACTS = Facts(
    {"default": CHINA, "night": NIGHT},
    "Asia/Shanghai",
    unit_calendars={"purchasing": "default", "plant": "night"},
    person_calendars={"zhang": "default", "xu": "night"},
    people=COMPANY,
)
PUBLISHED = {"2027": (date(2027, 12, 31), {date(2027, 1, 4): "元旦"}, frozenset({date(2027, 1, 9)}))}
"""What a scenario may publish: year → horizon, holidays, make-up workdays."""
OPEN_WORK = (
    *("tokens", "tasks", "jobs", "timers", "waits", "calls"),
    *("loops", "conditions", "compensations", "handlers", "activated", "gathered", "chosen"),
    "deadlines",
    "approvals",
)
TASK_VERBS = (
    *("claim", "unclaim", "complete", "return", "transfer", "urge"),
    *("approve", "refuse", "abstain", "delegate", "before", "after", "parallel"),
)
EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass
class Scenario:
    """One scenario of a file."""

    file: str
    name: str
    model: list[str]
    lines: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read_scenarios(path: Path) -> list[Scenario]:
    """The scenarios of a file; ``model`` sections hold for the scenarios below them."""
    model: list[str] = []
    found: list[Scenario] = []
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith(" "):
            section, _, rest = line.partition(" ")
            if section == "model":
                model = [f"@{rest.strip()}"] if rest.strip() else []
            elif section == "scenario":
                found.append(Scenario(path.stem, rest.strip(), model))
            else:
                raise ValueError(f"{path.name}:{number}: {section!r} is neither model nor scenario")
        elif section == "model":
            model.append(line)
        else:
            found[-1].lines.append((number, line.strip()))
    return found


def load(model: list[str]) -> Definition:
    """The definition of a model section: drawn lines with ``form name field …`` among them, or an example's folder.

    An example is ``@folder/file``; what lies beside it goes with it.
    """
    process: dict[str, str] = {}
    if model and model[0].startswith("@"):
        folder = (EXAMPLES / model[0][1:]).parent
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != ".md"}
    else:
        lines = list(model)
        if lines and lines[0].split()[0] == "process":
            process = dict(word.split("=", 1) for word in shlex.split(lines.pop(0))[1:])
        forms = [line.split()[1:] for line in lines if line.split()[0] == "form"]
        drawn = [line for line in lines if line.split()[0] != "form"]
        files = {"model.bpmn": draw(drawn, **process)} | {
            f"{name}.form": read_only(name, keys) for name, *keys in forms
        }
    bundle = read_bundle(files)
    errors = [str(finding) for finding in bundle.findings if finding.severity == "error"]
    assert not errors, "\n".join(errors)
    return Definition(bundle.graphs[0][1], 1, bundle.decisions, bundle.forms)


def read_only(name: str, keys: list[str]) -> bytes:
    """A form that shows some numbers."""
    fields = [{"type": "number", "id": key, "key": key, "label": key, "readonly": True} for key in keys]
    return json.dumps({"type": "default", "id": name, "components": fields}).encode()


def values(words: list[str]) -> dict[str, object]:
    """``name=value`` words; a value is JSON if it can be read as JSON, else a text."""
    found: dict[str, object] = {}
    for word in words:
        name, _, text = word.partition("=")
        try:
            found[name] = json.loads(text)
        except json.JSONDecodeError:
            found[name] = text
    return found


def named(words: list[str], *keys: str) -> tuple[dict[str, str], list[str]]:
    """Take ``by zhang``, ``to apply``, ``because "…"`` out of the words."""
    found: dict[str, str] = {}
    rest: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in keys:
            found[word] = words.pop(0)
        else:
            rest.append(word)
    return found, rest


class Player:
    """One instance and what has happened to it."""

    def __init__(self, scenario: Scenario) -> None:
        self.definition = load(scenario.model)
        self.now_ms = parse_instant(BEGIN)
        self.facts = FACTS
        self.state = State()
        self.history: list[tuple[e.AnyEvent, ...]] = []
        self.facts = FACTS
        self.states: list[State] = []

    def play(self, scenario: Scenario) -> None:
        """Act and expect line by line."""
        acting = True
        for number, line in scenario.lines:
            if line == "----":
                acting = not acting
                continue
            try:
                (self.act if acting else self.expect)(line)
            except (AssertionError, KeyError, StopIteration) as error:
                raise AssertionError(f"{scenario.file}.scenario:{number}: {line}\n  {error}\n{self.told()}") from error

    def told(self) -> str:
        """The whole history, for a failure's message."""
        return "\n".join(f"  {self.fields(event)}" for events in self.history for event in events)

    # Acting

    def act(self, line: str) -> None:
        """Do one line; it must be accepted, or refused with the code that the line names."""
        line, _, actor = line.partition(" via ")
        refused = re.match(r"refused (\S+): (.*)", line)
        if refused is not None:
            before = encode_state(self.state)
            outcome = self.do(self.command(refused[2]), actor)
            assert isinstance(outcome, Rejected), "it was accepted"
            assert outcome.code == refused[1], f"it was refused with {outcome.code}: {outcome.message}"
            assert encode_state(self.state) == before, "the refusal left a trace"
            return
        if line.startswith("company "):
            self.facts = msgspec.structs.replace(self.facts, people=changed(self.facts.people, *line.split()[1:]))
            return
        if line.startswith("wait "):
            self.wait(line.split()[1])
            return
        if line.startswith("publish "):
            self.publish(line.split()[1])
            return
        outcome = self.do(self.command(line), actor)
        assert not isinstance(outcome, Rejected), f"refused: {outcome}"

    def do(self, command: c.AnyCommand, actor: str = "") -> Rejected | None:
        """Run a command twice, as a substitute if one is named; both runs, one all careful, must agree to the byte."""
        facts = msgspec.structs.replace(self.facts, actor=actor)
        outcome = step(self.definition, self.state, command, self.now_ms, facts)
        again = carefully(self.definition, self.state, command, self.now_ms, facts)
        if isinstance(outcome, Rejected):
            assert again == outcome
            return outcome
        assert not isinstance(again, Rejected)
        assert e.encode_events(outcome.events) == e.encode_events(again.events)
        self.states.append(self.state)
        self.state = outcome.state
        self.history.append(e.decode_events(e.encode_events(outcome.events)))
        assert encode_state(replay(self.history)) == encode_state(self.state), "replay gives another state"
        return None

    def publish(self, year: str) -> None:
        """The calendar ``default`` comes into force with one more year; nothing is counted anew by that alone."""
        horizon, holidays, workdays = PUBLISHED[year]
        before = self.facts.calendars["default"]
        calendar = msgspec.structs.replace(
            before,
            version=before.version + 1,
            horizon=horizon,
            holidays={**before.holidays, **holidays},
            workdays=before.workdays | workdays,
        )
        self.facts = msgspec.structs.replace(self.facts, calendars={**self.facts.calendars, "default": calendar})

    def wait(self, text: str) -> None:
        """Let time pass; timers fire when they are due."""
        end_ms = add_duration(self.now_ms, parse_duration(text), ZoneInfo(FACTS.zone))
        while due := [item for item in self.state.timers.items() if item[1].due_ms <= end_ms]:
            key, timer = min(due, key=lambda item: (item[1].due_ms, -item[1].priority, item[0]))
            self.now_ms = max(self.now_ms, timer.due_ms)
            assert self.do(c.FireTimer(key)) is None
        self.now_ms = end_ms

    def command(self, line: str) -> c.AnyCommand:
        """The command that a line names."""
        verb, *words = shlex.split(line)
        way = words.pop() if words and words[-1] in ("straight", "stepwise") else ""
        found, rest = named(words, "by", "to", "because", "at", "version")
        by, reason = found.get("by", ""), found.get("because", "")
        version = int(found.get("version", 0))
        if verb == "start":
            person = {"id": by, "name": by, "unit": "purchasing", "manager": f"manager_of_{by}", "roles": ["employee"]}
            return c.StartInstance(by, person, values(rest), "KEY-1", found.get("at", ""))
        if verb == "remove":
            return c.RemoveApprover(next(iter(self.state.approvals), 0), by, rest[0])
        if verb in TASK_VERBS:
            token = self.token(rest[0], self.state.tasks)
            own = [key for key, task in self.state.tasks.items() if task.assignee == by]
            # Of several at one element, as in a loop, a person means their own.
            token = next((key for key in own if self.name(self.state.tasks[key].element) == rest[0]), token)
            if verb == "claim":
                return c.ClaimTask(token, by, version)
            if verb == "unclaim":
                return c.UnclaimTask(token, by, version)
            if verb == "complete":
                return c.CompleteTask(
                    token,
                    by,
                    values(rest[1:]),
                    version=version,
                    resubmit={"straight": "straight", "stepwise": "step"}.get(way, ""),
                )
            if verb in ("approve", "refuse", "abstain"):
                return c.CompleteTask(token, by, values(rest[1:]), reason, version, verb)
            if verb == "delegate":
                return c.DelegateTask(token, by, found["to"], reason, version)
            if verb in ("before", "after", "parallel"):
                mode = rest.pop() if rest[-1] in ("anyOf", "inTurn") else "allOf"
                return c.AddApprovers(token, by, verb, tuple(rest[1:]), mode, reason, version)
            if verb == "return":
                return c.ReturnTask(token, by, found["to"], reason, version, way == "straight")
            if verb == "transfer":
                return c.TransferTask(token, by, found["to"], reason, version)
            return c.UrgeTask(token, by, " ".join(rest[1:]))
        if verb == "copy":
            return c.SendCopy(by, tuple(rest), reason)
        if verb == "takeback":
            return self.taking_back(by, rest[0], int(rest[1]))
        if verb == "comment":
            return c.Comment(by, " ".join(rest))
        if verb == "withdraw":
            return c.WithdrawInstance(by, reason)
        if verb == "cancel":
            return c.CancelInstance(by, reason)
        if verb == "correct":
            return c.SetVariables(by, values(rest), reason)
        if verb == "job":
            return self.job(rest)
        if verb in ("message", "signal"):
            name, *given = rest
            wait = next(key for key, item in self.state.waits.items() if item.name == name)
            return c.Correlate(wait, values(given))
        if verb == "called":
            token = self.token(rest[0], self.state.calls)
            if rest[1] == "escalates":
                return c.EscalateCall(token, rest[2], values(rest[3:]))
            if rest[1] == "error":
                return c.CompleteCall(token, values(rest[3:]), rest[2])
            if rest[1] == "not_begun":
                return c.CompleteCall(token, error=rest[2], begun=False)
            return c.CompleteCall(token, values(rest[2:]))
        if verb in ("put", "take", "move"):
            return self.modification(verb, rest, by, reason)
        if verb == "derive":
            return c.DeriveDeadlines(by or "he", rest[0], int(found.get("version", 0)))
        if verb in ("suspend", "resume"):
            return (c.SuspendInstance if verb == "suspend" else c.ResumeInstance)(by or "he", reason or "因故")
        if verb == "retry":
            return c.RetryIncident(next(iter(self.state.incidents)), "operator")
        raise AssertionError(f"{verb!r} is no verb")

    def modification(self, verb: str, words: list[str], by: str, reason: str) -> c.AnyCommand:
        """``put before X``, ``put after X``, ``take from X``, ``move X Y``; then variables.

        ``first`` or ``for PERSON`` at the end means one of several tokens: the oldest, or that of a person's task.
        """
        found, (first, second, *rest) = named(words, "for")
        token = 0
        if "for" in found:
            token = next(key for key, task in self.state.tasks.items() if task.assignee == found["for"])
        elif rest and rest[-1] == "first":
            token, rest = self.token(first if verb == "move" else second, self.state.tasks), rest[:-1]
        if verb == "move":
            move = c.Move("move", first, second, token, variables=values(rest))
        elif verb == "take":
            move = c.Move("cancel", second, token=token)
        else:
            kind: Literal["start_before", "start_after"] = "start_before" if first == "before" else "start_after"
            move = c.Move(kind, second, variables=values(rest))
        return c.ModifyInstance(by, reason, (move,))

    def job(self, words: list[str]) -> c.AnyCommand:
        name, outcome, *rest = words
        token = self.token(name, self.state.jobs)
        if outcome == "done":
            return c.CompleteJob(token, "worker", values(rest))
        if outcome == "fails":
            return c.FailJob(token, "worker", " ".join(rest))
        assert outcome == "error", f"a job is done, fails or throws an error, not {outcome!r}"
        return c.ThrowJobError(token, "worker", rest[0])

    def token(self, element: str, among: dict[int, object] | dict[int, str]) -> int:
        """The token of what is open at an element; one that is not open gives a token that is not open either."""
        index = self.definition.graph.element_of[element]
        found = [token for token in among if self.state.tokens[token].element == index]
        return found[0] if found else 10**9

    # Expecting

    def name(self, element: int) -> str:
        return self.definition.graph.elements[element].id

    def fields(self, event: e.AnyEvent) -> dict[str, object]:
        """An event with its elements named."""
        shown = msgspec.structs.asdict(event)
        for key in ("element", "to", "caught_by"):
            if isinstance(shown.get(key), int):
                shown[key] = self.name(shown[key]) if shown[key] >= 0 else "nobody"
        return {"event": type(event).__name__, **shown}

    def taking_back(self, by: str, element: str, commands: int) -> c.TakeBack:
        """Take back the last few commands, with whatever they have effected."""
        events = [event for events in self.history[-commands:] for event in events]
        tokens, effect = taking_back.effects_in(events)
        assert not effect, f"{effect} cannot be taken back"
        entered = {
            event.token: event.element
            for events in self.history
            for event in events
            if isinstance(event, e.ElementEntered)
        }
        effects = {token: entered[token] for token in tokens}
        return c.TakeBack(by, self.states[-commands], self.state.version, element, effects)

    def expect(self, line: str) -> None:
        """Check one line."""
        verb, *words = shlex.split(line)
        if verb == "ended":
            assert self.state.status is Status[words[0].upper()], self.state.status
            for open_work in OPEN_WORK:
                assert not getattr(self.state, open_work), f"{open_work} left over"
        elif verb == "waits":
            inner = {value.scope for value in self.state.tokens.values()}
            waiting = [self.name(value.element) for key, value in self.state.tokens.items() if key not in inner]
            assert sorted(waiting) == sorted(words[1:]), f"it waits at {sorted(waiting)}"
            assert self.state.status is Status.OPEN
        elif verb == "task":
            self.expect_task(words)
        elif verb == "asked":
            people = sorted(task.assignee for task in self.state.tasks.values())
            assert people == sorted(words), f"asked are {people}"
        elif verb == "variable":
            name, _, text = line.removeprefix("variable ").partition(" = ")
            assert self.state.scopes[0].variables.get(name) == json.loads(text), self.state.scopes[0].variables
        elif verb == "candidates":
            task = self.state.tasks[self.token(words[0], self.state.tasks)]
            assert task.users == tuple(words[1:]), task.users
        elif verb == "recorded":
            assert self.recorded(words), "no such event"
        elif verb == "never":
            assert not self.recorded(words), "it was recorded"
        elif verb == "passed":
            left = [
                self.name(event.element)
                for events in self.history
                for event in events
                if isinstance(event, e.ElementLeft)
            ]
            assert [name for name in left if name in words] == words, left
        elif verb == "timers":
            assert len(self.state.timers) == int(words[0]), self.state.timers
        elif verb in ("job", "timer"):
            name, has, what, number = words
            assert (has, what) == ("has", "priority"), words
            found = [item.priority for item in self.open_work(verb) if self.name(item.element) == name]
            assert found == [int(number)], found
        elif verb == "subscriptions":
            assert len(self.state.waits) == int(words[0]), self.state.waits
        elif verb == "incident":
            found = [(item.code, self.name(item.element)) for item in self.state.incidents.values()]
            assert (words[0], words[2]) in found, found
        else:
            raise AssertionError(f"{verb!r} expects nothing known")

    def open_work(self, kind: str) -> list[Job] | list[Timer]:
        return list(self.state.jobs.values()) if kind == "job" else list(self.state.timers.values())

    def expect_task(self, words: list[str]) -> None:
        task = self.state.tasks[self.token(words[0], self.state.tasks)]
        found, rest = named(words[1:], "for", "group", "round", "due", "called")
        if "for" in found:
            assert task.assignee == found["for"], task
        if "group" in found:
            assert (task.assignee, task.groups) == ("", (found["group"],)), task
        if "round" in found:
            assert task.round == int(found["round"]), task
        if "due" in found:
            assert task.due_ms == parse_instant(found["due"]), task.due_ms
        if "called" in found:
            assert task.name == found["called"], task
        assert not rest, rest

    def recorded(self, words: list[str]) -> bool:
        name, *wanted = words
        assert hasattr(e, name), f"{name} is no event"
        expected = values(wanted)
        return any(
            type(event).__name__ == name
            and expected.items() <= msgspec.json.decode(msgspec.json.encode(self.fields(event))).items()
            for events in self.history
            for event in events
        )
