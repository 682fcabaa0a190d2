"""The betsy suite: how many of its tests pass may rise, never fall."""

from __future__ import annotations

import pytest

from tests.conformance.betsy import Play, betsy, feel, prepared
from tests.scenarios.drawing import draw
from tests.shared import SHARED, needs

PASSED_MIN = 0.97


@needs("bpmn-betsy")
def test_most_betsy_tests_pass() -> None:
    verdicts = list(betsy(SHARED / "conformance" / "bpmn-betsy"))
    failed = [f"{verdict.case}: {verdict.comment}" for verdict in verdicts if not verdict.passed]
    assert verdicts
    assert 1 - len(failed) / len(verdicts) >= PASSED_MIN, "\n".join(failed)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('test.contains("a")', 'contains(test, "a")'),
        ('!test.contains("b")', 'not(contains(test, "b"))'),
        ("${integerVariable}", "integerVariable"),
        ("integerVariable<3", "integerVariable<3"),
        ("true", "true"),
    ],
)
def test_the_expressions_of_betsy_are_written_in_feel(written: str, meant: str) -> None:
    assert feel(written) == meant


SCRIPTS = """
startEvent start
{gateways}
scriptTask first
  raw <script>CREATE_TIMESTAMP_LOG_1</script>
scriptTask second
  raw <script>CREATE_TIMESTAMP_LOG_2</script>
scriptTask last
  raw <script>SCRIPT_task1</script>
endEvent end
{flows}
"""
CASE = {"input": None, "integerVariable": 0, "delay_ms": 0, "parallel_process": False}


@pytest.mark.parametrize(
    ("gateways", "flows", "logged"),
    [
        (
            "parallelGateway fork\nparallelGateway join",
            "start -> fork -> first -> join -> last -> end\nfork -> second -> join",
            ["EXECUTION_parallel", "SCRIPT_task1"],
        ),
        ("", "start -> first -> second -> last -> end", ["SCRIPT_task1"]),
    ],
    ids=["at the same time", "one after the other"],
)
def test_long_work_is_parallel_when_it_overlaps(gateways: str, flows: str, logged: list[str]) -> None:
    drawn = draw(SCRIPTS.format(gateways=gateways, flows=flows).splitlines())
    play = Play({"model.bpmn": prepared(drawn, "model.bpmn")})
    assert sorted(play.run("model", CASE)) == logged


def test_a_script_that_throws_is_caught_by_its_boundary_or_fails_the_instance() -> None:
    lines = [
        "startEvent start",
        "scriptTask throws",
        "  raw <script>THROW_ERROR</script>",
        "boundaryEvent caught on=throws error=ERR_CODE",
        "scriptTask after",
        "  raw <script>SCRIPT_task1</script>",
        "endEvent end",
        "start -> throws -> end",
        "caught -> after -> end",
    ]
    with_boundary = Play({"model.bpmn": prepared(draw(lines), "model.bpmn")})
    assert with_boundary.run("model", CASE) == ["SCRIPT_task1"]
    without = Play({"model.bpmn": prepared(draw([*lines[:3], "endEvent end", "start -> throws -> end"]), "model.bpmn")})
    assert without.run("model", CASE) == ["ERROR_runtime"]
