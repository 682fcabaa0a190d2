"""What was once recorded reads the same for ever.

`golden_events.txt` holds one encoded sample of every event type and of the state, as hexadecimal msgpack. A new event
gets a new line, which the failing test prints. A line that stands is never edited: journals out there hold such bytes.
"""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from noria.engine import events as e
from noria.engine.state import (
    FORMAT,
    Approval,
    Comeback,
    Compensation,
    Condition,
    Consultation,
    Deadline,
    Done,
    Handler,
    Incident,
    Job,
    LoopState,
    Panel,
    Parent,
    Purpose,
    Scope,
    Seat,
    State,
    Status,
    TakingBack,
    Task,
    Timer,
    Token,
    Wait,
    decode_state,
    encode_state,
)

FILE = Path(__file__).parent / "golden_events.txt"
VARIABLES = {
    "amount": 68400,
    "supplier": "精工",
    "lines": [{"item": "轴承", "price": 8.5}],
    "paid": False,
    "note": None,
}

SAMPLES: tuple[e.AnyEvent, ...] = (
    e.InstanceStarted(
        process="purchase",
        definition_version=3,
        business_key="CG-2026-000001",
        starter="lin",
        variables=VARIABLES,
        parent=Parent(72057594037927937, 4),
    ),
    e.ElementEntered(token=1, element=2, scope=0, via=5),
    e.ElementLeft(token=1, element=2, flows=(3, 4)),
    e.ElementCancelled(token=1, element=2, reason="returned"),
    e.TokenMerged(token=4, element=9, into=3),
    e.ScopeOpened(scope=7, element=11, parent=0, variables={"item": "轴承"}),
    e.VariablesSet(scope=7, values=VARIABLES),
    e.TaskOpened(
        token=6,
        element=5,
        round=2,
        assignee="wang",
        groups=("finance", "purchasing"),
        users=("li",),
        opened_ms=1_772_413_200_000,
        due_ms=1_772_499_600_000,
        form="review",
        priority=70,
        name="复核 轴承",
    ),
    e.TaskClaimed(token=6, by="li"),
    e.TaskUnclaimed(token=6, by="li"),
    e.TaskCompleted(token=6, element=5, by="li", round=2, comment="同意", with_start=True, outcome="approve"),
    e.TaskReturned(token=6, element=5, to=2, by="li", reason="发票信息缺失", straight=True, valid=(3, 4)),
    e.TaskTransferred(token=6, by="wang", held_by="wang", to="zhao", reason="出差"),
    e.TaskReminded(token=6, element=5, share=0.8, due_ms=1_772_499_600_000),
    e.TaskUrged(token=6, by="lin", at_ms=1_772_420_000_000, text="请尽快"),
    e.Commented(by="lin", text="已补充", token=6, mentions=("wang",)),
    e.JobCreated(token=8, element=7, topic="purchase.create_order", retries=3, due_ms=1_772_413_200_000, priority=40),
    e.JobCompleted(token=8, by="worker"),
    e.JobFailed(token=8, by="worker", message="timeout", retries=2, due_ms=1_772_413_210_000),
    e.TimerStarted(
        timer=9,
        token=6,
        element=5,
        due_ms=1_772_499_600_000,
        remaining=-1,
        interval="PT1H",
        share=0.8,
        purpose=Purpose.SAVE_AFTER,
        priority=50,
    ),
    e.TimerFired(timer=9, element=5),
    e.WaitOpened(wait=10, token=6, element=12, signal=False, name="invoice", key="CG-2026-000001"),
    e.MessageReceived(wait=10, element=12, name="invoice", message_id="1:a", open=True),
    e.WaitsClosed(token=6, ids=(9, 10)),
    e.MessageThrown(token=6, element=13, name="ordered", key="CG-2026-000001", variables=VARIABLES),
    e.SignalThrown(token=6, element=14, name="stocktaking", variables=VARIABLES, business_key="PD-3", within=True),
    e.ErrorThrown(token=8, element=7, code="ORDER_REFUSED", message="停业", caught_by=-1),
    e.EscalationThrown(token=8, element=7, code="LATE", caught_by=15),
    e.IncidentRaised(incident=16, token=8, element=7, code="job.failed", message="timeout", phase="job"),
    e.IncidentResolved(incident=16, by="he"),
    e.DecisionEvaluated(
        token=3, element=4, decision="approval_policy", rules=(("table", "rule_2", 2),), result={"limit": "P2D"}
    ),
    e.CallRequested(
        token=17, element=18, process="inspection", binding="deployment", variables=VARIABLES, business_key="JY-7"
    ),
    e.CallCompleted(token=17, error="INSPECTION_FAILED"),
    e.CallCancelled(token=17),
    e.JobRetried(token=8, retries=3, due_ms=1_772_413_300_000),
    e.InstanceCompleted(),
    e.InstanceWithdrawn(by="lin", reason="不买了"),
    e.InstanceTerminated(by="he", reason="重复"),
    e.InstanceFailed(code="INSPECTION_FAILED", message="不合格"),
    e.VariablesCorrected(by="he", reason="更正"),
    e.LoopStarted(token=20, element=21, round=1, total=3, items=("a", 2, None)),
    e.LoopInstanceEnded(token=20, instance=22, result={"passed": True}),
    e.LoopCutShort(token=20, terminated=2),
    e.ConditionAwaited(condition=23, token=6, element=24, which=1),
    e.ConditionChanged(condition=23, met=True),
    e.ActivityKept(token=8, element=7, scope=0, variables=VARIABLES),
    e.CompensationThrown(token=25, element=26, done=(8, 6), waits=False),
    e.CompensationStarted(token=27, element=28, asked_by=25, done=8),
    e.GatewayActivated(token=29, element=30, used=(3, 4), flows=(5,)),
    e.TokensGathered(token=31, element=32, count=2),
    e.ActivitiesChosen(scope=33, element=34, activities=(35, 36)),
)

# As it was recorded: the format of then.
RESTORED = State(
    format=2, version=3, next_id=9, business_key="CG-1", tokens={1: Token(2, 0, 1)}, scopes={0: Scope(0, -1, {}, 1)}
)
SAMPLES += (
    e.InstanceModified(by="he", reason="更正"),
    e.InstanceMigrated(
        by="he", reason="新版本", before=7, after=9, definition_version=4, elements={0: 0, 1: 2}, flows={0: 1}
    ),
    e.InstanceRestored(by="he", reason="撤销", before=9, after=7, state=RESTORED),
    e.InstanceSuspended(by="he", reason="核查"),
    e.InstanceResumed(by="he", reason="核查完毕"),
    e.DoersNoted(token=6, element=5, people=("wang", "sun")),
    e.TaskSeparated(token=9, people=("wang", "sun")),
    e.DeadlineSet(key=6, calendar="plant", version=2, start_ms=1_772_413_200_000, duration="P2D", provisional=True),
    e.FactsRead(
        values={"calendar": {"working_day": False}, "environment": {"stock": 3}},
        calendar="plant",
        calendar_version=2,
        versions={"stock": 7},
    ),
    e.DeadlineMoved(key=6, due_ms=1_772_586_000_000, version=3, provisional=True),
)

APPROVAL = Approval(
    element=5,
    round=2,
    panels={0: Panel("allOf", (1, 3), "li", False, 0.5, 2.0)},
    seats={1: Seat("wang", 2.0, True, "approve", 42, "li"), 3: Seat("sun")},
)
SAMPLES += (
    e.ApprovalOpened(token=37, approval=APPROVAL),
    e.SeatOpened(token=37, seat=1, task=42),
    e.SeatDecided(token=37, seat=1, outcome="approve", by="wang"),
    e.ApproversAdded(token=37, seat=1, where="before", people=("sun", "he"), mode="anyOf", by="wang", reason="懂行"),
    e.ApproverRemoved(token=37, seat=3, person="sun", by="wang"),
    e.ApprovalDecided(token=37, element=5, outcome="refuse"),
    e.InstanceRefused(element=5, by="wang"),
    e.TaskDelegated(token=42, by="wang", to="he", reason="请先看"),
    e.TaskHandedBack(token=42, by="he", to="wang", outcome="approve", comment="可以"),
    e.TaskPassed(token=37, element=5, by="li", reason="unchanged", outcome="approve"),
    e.Resubmitted(token=6, element=5, straight=True),
    e.TakenBack(element=5, by="wang", state=RESTORED),
    e.CopiesSent(element=5, by="wang", people=("he", "sun"), text="请知悉"),
    e.ConsultationOpened(
        consultation=43, token=6, element=5, person="sun", by="wang", text="价格合理吗？", at_ms=1_772_413_200_000
    ),
    e.ConsultationAnswered(consultation=43, element=5, by="sun", text="合理", asked_by="wang"),
    e.InstanceVoided(by="he", reason="重复"),
    e.InstanceRestarted(by="he", reason="误驳回", state=RESTORED),
    e.TakeBackBegun(token=45, element=5, by="wang", state=RESTORED),
    e.NobodyFound(token=6, element=5, rule="owner"),
    e.TaskOverdue(token=6, element=5, action="transfer", to="zhao"),
)
STATE = State(
    format=FORMAT,
    version=12,
    status=Status.OPEN,
    next_id=19,
    business_key="CG-2026-000001",
    starter="lin",
    parent=Parent(72057594037927937, 4),
    tokens={6: Token(5, 0, 3), 8: Token(7, 0)},
    scopes={0: Scope(0, -1, VARIABLES, 2), 7: Scope(11, 0, {}, 0)},
    tasks={
        6: Task(
            5,
            2,
            "wang",
            ("finance",),
            ("li",),
            1_772_499_600_000,
            1_772_413_200_000,
            "review",
            70,
            True,
            1,
            3,
            "复核 轴承",
            "zhao",
            ("sun",),
        )
    },
    jobs={8: Job(7, "purchase.create_order", 2, 1_772_413_210_000, 40)},
    calls={17: "inspection"},
    timers={9: Timer(6, 5, 1_772_499_600_000, -1, "PT1H", 0.8, priority=50)},
    waits={10: Wait(6, 12, True, "stocktaking", "")},
    incidents={16: Incident(8, 7, "job.failed", "timeout", "job")},
    hosted={6: (9, 10)},
    rounds={5: 2},
    actors={5: "wang"},
    decisions=4,
    returned=True,
    loops={20: LoopState(21, 1, 3, 2, 1, 0, ("a", 2, None), {22: {"passed": True}})},
    conditions={23: Condition(6, 24, 1, True)},
    done={8: Done(7, 0, 19, VARIABLES)},
    compensations={25: Compensation((8,), False)},
    handlers={27: Handler(25, 8)},
    activated={29: (3, 4)},
    gathered={31: 2},
    chosen={33: (35, 36)},
    suspended=True,
    deadlines={6: Deadline("plant", 2, 1_772_413_200_000, "P2D", True)},
    approvals={37: APPROVAL},
    comeback=Comeback(38, 39, True, (40, 41), VARIABLES),
    approved=("li", "wang"),
    copied=("he",),
    consultations={43: Consultation(6, 5, "sun", "wang", "价格合理吗？", 1_772_413_200_000)},
    doers={5: ("wang", "sun")},
    taking_back=TakingBack(45, 5, "wang", RESTORED),
)


def name_of(sample: object) -> str:
    if isinstance(sample, State):
        return f"State {sample.format}"
    return f"{sample.__struct_config__.tag} {type(sample).__name__}"


def recorded() -> dict[str, bytes]:
    lines = FILE.read_text(encoding="ascii").splitlines()
    return {name: bytes.fromhex(code) for name, _, code in (line.rpartition(" ") for line in lines)}


def test_every_event_type_has_a_sample():
    assert {type(sample) for sample in SAMPLES} == set(get_args(e.AnyEvent))


def test_a_sample_sets_every_field():
    # A field left at its default would not be seen to move.
    for sample in SAMPLES:
        for field in msgspec.structs.fields(sample):
            assert field.required or getattr(sample, field.name) != field.default, f"{name_of(sample)}: {field.name}"


def test_nothing_is_recorded_that_no_sample_stands_for():
    assert set(recorded()) == {*map(name_of, SAMPLES), *(f"State {number}" for number in range(1, FORMAT + 1))}


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_recorded_event_is_read_as_what_it_was(sample):
    code = recorded().get(name_of(sample))
    assert code is not None, f"add the line: {name_of(sample)} {e.encode_events([sample]).hex()}"
    (event,) = e.decode_events(code)
    # A field that was appended later has its default in what was recorded before.
    known = len(msgspec.msgpack.decode(code)[0]) - 1
    fields = sample.__struct_fields__
    assert [getattr(event, name) for name in fields[:known]] == [getattr(sample, name) for name in fields[:known]]


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_an_event_is_still_written_as_it_was_recorded(sample):
    (before,) = msgspec.msgpack.decode(recorded()[name_of(sample)])
    (now,) = msgspec.msgpack.decode(e.encode_events([sample]))
    assert begins_with(now, before), "events are added, never edited"


def begins_with(now: object, before: object) -> bool:
    """Whether fields have only been appended, also to a state or approval inside an event."""
    if isinstance(now, list) and isinstance(before, list):
        return len(now) >= len(before) and all(map(begins_with, now, before))
    return now == before


def test_the_state_is_written_as_it_was_recorded():
    # Stored states are compared with replayed ones byte for byte, so nothing may be appended without a new FORMAT.
    assert encode_state(STATE).hex() == recorded()[name_of(STATE)].hex()


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_a_state_of_an_earlier_format_is_read_and_written_in_todays(number):
    read = decode_state(recorded()[f"State {number}"])
    assert (read.format, read.tokens, read.returned) == (FORMAT, STATE.tokens, STATE.returned)
    assert decode_state(encode_state(read)) == read


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(State)])
def test_a_copy_has_whatever_a_state_has(name):
    state = State(**{name: getattr(STATE, name)})
    assert encode_state(state.copy()) == encode_state(state)
    assert encode_state(STATE.copy()) == encode_state(STATE)
