"""The page of the approval verbs: what each does, and what becomes of every pair of them, as the engine itself says."""

from __future__ import annotations

from collections.abc import Callable

from scripts.writing import page, table

from noria.engine import commands as c
from noria.engine import voting
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.state import State, Status
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.operate.bundles import read_bundle

NOW_MS = 1_772_413_200_000
MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="urn:noria:bpmn:1" targetNamespace="pairs">
  <process id="pairs" isExecutable="true">
    <startEvent id="start" />
    <sequenceFlow id="f1" sourceRef="start" targetRef="apply" />
    <userTask id="apply" noria:assignee="= starter.id" />
    <sequenceFlow id="f2" sourceRef="apply" targetRef="review" />
    <userTask id="review" noria:approval="allOf" noria:approvers="= [&quot;Li&quot;, &quot;Wang&quot;]" />
    <sequenceFlow id="f3" sourceRef="review" targetRef="sign" />
    <userTask id="sign" noria:approval="allOf" noria:approvers="Zhao" />
    <sequenceFlow id="f4" sourceRef="sign" targetRef="end" />
    <endEvent id="end" />
  </process>
</definitions>
"""
FIRST = ("approve", "refuse", "return", "transfer", "delegate", "add before", "add after", "add parallel")
VERBS = (*FIRST, "remove", "take back", "withdraw")
MEANINGS = {
    "同意 approve": "my seat is decided; the panel's rule says whether that decides the approval",
    "驳回 refuse": "my seat is decided; one refusal ends `allOf` and `inTurn` at once "
    "(`refusal=afterAll`: when all have decided), a vote when it cannot be won any more. "
    "The request ends as refused, or goes on by the model (`whenRefused=goOn`)",
    "弃权 abstain": "in a vote only: my weight counts for neither side",
    "退回 return": "to an earlier user task that was done, with a reason. Within the smallest scope that"
    " holds both, exactly what lies behind the target is cancelled; sibling branches "
    "stay; a whole approval or loop goes with its seats. The target opens for a new "
    "round, with fresh reminders",
    "直达 straight back": "a way of returning, chosen by who returns or who resubmits: on the way back a task "
    "that was done is passed if nothing that it shows has changed since the return (the "
    "fields of its form; without a form, all data). Everything else happens as usual: "
    "gateways and decisions see the new data, automatic steps run again",
    "转办 transfer": "the task, or the seat, becomes somebody else's; the history names both",
    "委派 delegate": "somebody deals with it and it comes back to me; only I conclude it. Not delegated on",
    "前加签 add before": "my task is put off until those added have decided by their own rule; their refusal counts",
    "后加签 add after": "those added are asked when I have approved",
    "并加签 add parallel": "those added join the panel that I am in as one member with a rule of its own",
    "减签 remove": "takes back that somebody is asked: only who added them can, and only until they have decided",
    "取回 take back": "what I did last is undone as if it had not happened, until somebody else has done "
    "something with the request or something has had an effect outside that cannot be compensated. What can be (a job, "
    "a message or a call of an activity with a compensation handler) is compensated first, the last completed first, "
    "with everything else that was completed since and has a handler; then the task is open again. Until that is done "
    "the request waits: an operator may end or suspend it, and change nothing else. Not while something else of the "
    "request is under way beside it, and not when the request has ended",
    "批量审批 bulk approval": "agreeing to several tasks at once with one opinion, where the process allows it "
    "(`bulkApproval`). Each is a decision of its own; one that needs a field or a signature, has changed, or is not "
    "mine, is left out and named with the reason, before as well as afterwards",
    "撤回 withdraw": "by the applicant, as the process allows (`withdrawable`)",
    "抄送 copy": "no decision; everybody gets one copy at most, and may look at the request from then on",
    "沟通 consult": "somebody is asked for an opinion, which is filed; the task stays mine",
    "催办 urge": "by the applicant or an operator; each task once in 30 minutes",
    "终止 terminate": "an operator ends the request, with a reason",
    "作废 void": "an operator declares a completed request void, with a reason; what it has done stays done",
    "重启 restart": "a request that was refused, withdrawn or terminated goes on where it was, and one that was "
    "declared void counts again: a withdrawn one by its applicant, else by an operator. One that was terminated at "
    "rest rests again",
    "挂起 suspend, 恢复 resume": "an operator puts the request to rest, with a reason, until it is resumed",
}


def verbs() -> str:
    """The page."""
    return page(
        "Approval verbs",
        "What each verb means, and what becomes of every two of them, one after the other: the tables of pairs are "
        "what the engine answers. What a model says about approvals (nobody found, the applicant, repeats, a limit) "
        "are attributes: [BPMN](bpmn.md). `tests/properties/test_verb_laws.py` holds what is true of any sequence.",
        table(
            ("verb", "meaning"), [(verb, f"{meaning[0].upper()}{meaning[1:]}.") for verb, meaning in MEANINGS.items()]
        ),
        [
            "## Looking before",
            "",
            "Every verb, those above and claiming, putting back, completing, commenting, answering, moving and",
            "retrying, can be looked at before: `POST /api/tasks/{task_id}/preview` and",
            "`POST /api/instances/{instance_id}/preview` take the verb and what it takes ([Wish](rest.md#wish)) and",
            "answer what would be cancelled, opened, handed over, passed, given up and undone, where it would stand",
            "still, who would be told and how the request would stand ([Preview](rest.md#preview)), or the refusal.",
            "It is the engine's own step on the live state, thrown away: nothing is stored, nobody is told, and a",
            "limit such as that of urging does not count it. Whoever may not give a verb may not look at it. The",
            "pages show it before the button works.",
            "",
        ],
        ["## Pairs", ""],
        [
            "Wu applies; Li and Wang are asked (`allOf`), after them Zhao. Li gives the verb of the row, then the verb",
            "of the column is given. A cell says who is asked then, or how the request has ended, or the code of the",
            "refusal.",
            "Transfers and delegations go to Ma, those added are He and Sun (`allOf`), returns go to the application,",
            "He is the one who is removed, and it is Wu who withdraws.",
            "",
        ],
        ["### Then by Li himself", "", *_pairs("Li")],
        ["### Then by Wang, the other approver", "", *_pairs("Wang")],
    )


def _pairs(second: str) -> list[str]:
    rows = [(f"**{verb}**", *(_cell((verb, "Li"), (then, second)) for then in VERBS)) for verb in FIRST]
    return table(("first", *VERBS), rows)


def _cell(*acts: tuple[str, str]) -> str:
    request = _Request()
    for at, (verb, by) in enumerate(acts):
        refused = request.give(verb, "Wu" if verb == "withdraw" else by)
        if refused:
            assert at, f"{verb} is refused at first: {refused}"  # noqa: S101 - the page would say nothing
            return f"`{refused}`"
    if request.state.status is not Status.OPEN:
        return request.state.status.name.lower()
    return ", ".join(sorted(task.assignee for task in request.state.tasks.values()))


class _Request:
    def __init__(self) -> None:
        bundle = read_bundle({"pairs.bpmn": MODEL})
        self._definition = Definition(bundle.graphs[0][1], 1, bundle.decisions, bundle.forms)
        self.state = State()
        self._before: dict[str, State] = {}
        self._last = ""
        self._give("Wu", c.StartInstance("Wu", {"id": "Wu"}))
        self._give("Wu", c.CompleteTask(next(iter(self.state.tasks)), "Wu"))

    def _give(self, by: str, command: c.AnyCommand) -> str:
        outcome = step(self._definition, self.state, command, NOW_MS, Facts())
        if isinstance(outcome, Rejected):
            return outcome.code
        self._before[by], self._last = self.state, by
        self.state = outcome.state
        return ""

    def give(self, verb: str, by: str) -> str:
        """Give a verb; gives the code of the refusal, "" when there is none."""
        tasks = self.state.tasks
        token = next((key for key, task in tasks.items() if task.assignee == by), max(tasks, default=0) + 1_000)
        people: tuple[str, ...] = ("He", "Sun")
        where = {"add before": voting.BEFORE, "add after": voting.AFTER, "add parallel": voting.PARALLEL}
        commands: dict[str, Callable[[], c.AnyCommand]] = {
            "approve": lambda: c.CompleteTask(token, by, outcome=voting.APPROVE),
            "refuse": lambda: c.CompleteTask(token, by, outcome=voting.REFUSE),
            "return": lambda: c.ReturnTask(token, by, "apply", "why"),
            "transfer": lambda: c.TransferTask(token, by, "Ma"),
            "delegate": lambda: c.DelegateTask(token, by, "Ma"),
            "remove": lambda: c.RemoveApprover(next(iter(self.state.approvals), 0), by, "He"),
            "withdraw": lambda: c.WithdrawInstance(by),
        }
        if verb in where:
            return self._give(by, c.AddApprovers(token, by, where[verb], people))
        if verb == "take back":
            # Which act a person may take back is found in the journal (`noria.operate.takingback`).
            if by not in self._before or self._last != by:
                return "task.taken_back_late" if by in self._before else "task.nothing_to_take_back"
            return self._give(by, c.TakeBack(by, self._before[by], self.state.version, "review"))
        return self._give(by, commands[verb]())
