"""Running many seeds, and what a failing one says."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.world import World

SEEDS = int(os.environ.get("NORIA_SIM_SEEDS", "2000"))
"""How many seeds the test run covers; the nightly run takes more."""

ENOUGH_FOR_ALL_MARKS = 400
"""With fewer seeds than this a rare point may be missed by chance."""

MARKS = (
    # Faults
    "commit_crash_after",
    "commit_crash_before",
    "commit_late",
    "commit_refused",
    "commit_slow",
    "commit_timed_out",
    "crash",
    "outage",
    "two_servers",
    "stale_owner",
    "clock_set_back",
    "clock_set_forward",
    # People
    "substitute",
    "four_eyes",
    # Repetition
    "late_duplicate",
    "repeated_command",
    "refused_command",
    "message_repeated",
    "effect_repeated",
    # Workers
    "worker_died_before_effect",
    "worker_died_after_effect",
    "lease_lost",
    "incident_retried",
    # Operators
    "migrated",
    "upgraded",
    "state_behind",
    "modified",
    "restored",
    "resumed",
    # Ends
    "completed",
    "failed",
    "terminated",
    "withdrawn",
    "returned",
    # Elements
    "ad_hoc_sub_process",
    "business_rule_task",
    "call_activity",
    "cancel_boundary_interrupts",
    "compensation",
    "complex_gateway_joins",
    "conditional_boundary_interrupts",
    "error_boundary_interrupts",
    "escalation_boundary_adds",
    "escalation_boundary_interrupts",
    "event_based_gateway",
    "event_sub_process",
    "exclusive_gateway",
    "inclusive_gateway_joins",
    "intermediate_catch_event",
    "intermediate_throw_event",
    "loop_cut_short",
    "manual_task",
    "message_boundary_adds",
    "message_boundary_interrupts",
    "parallel_gateway_joins",
    "parallel_loop",
    "receive_task",
    "save_point",
    "script_task",
    "send_task",
    "sequential_loop",
    "service_task",
    "signal_boundary_adds",
    "signal_boundary_interrupts",
    "signal_thrown",
    "standard_loop",
    "sub_process",
    "task",
    "timer_boundary_adds",
    "timer_boundary_interrupts",
    "user_task",
)
"""Points that the seeds together must come by; one that is never met is a blind spot of the simulation."""


def run_seeds(seeds: Iterable[int]) -> Counter[str]:
    """Run some seeds; gives the points they came by.

    Raises:
        AssertionError: a promise was broken; says the seed, the model and the numbered trace.
    """
    marks: Counter[str] = Counter()
    for seed in seeds:
        world = World(Chooser.seeded(seed))
        try:
            world.run()
        except ViolationError as error:
            raise AssertionError(report(seed, error)) from error
        marks += world.marks
    return marks


def report(seed: int, error: ViolationError) -> str:
    """What a failing seed says: run again, with its trace."""
    world = World(Chooser.seeded(seed), trace=True)
    try:
        world.run()
    except ViolationError as again:
        if str(again) != str(error):
            return f"seed {seed} is not deterministic: {error}, then {again}"
    lines = [
        f"seed {seed}: {error}",
        f"python -m tests.simulation --seed {seed} --shrink small",
        world.xml.decode(),
        *world.trace,
    ]
    return "\n".join(lines)


def missing(marks: Counter[str]) -> list[str]:
    """The points that were never met."""
    return [mark for mark in MARKS if not marks[mark]]
