"""The page that says what is executed, refused or kept, and what outside suites measured of it."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.writing import page, table

from noria.design.bpmn.graph import LoopKind, TriggerKind
from noria.design.bpmn.names import ALLOWED, GLOBAL_TASKS, KINDS, TRIGGERS, UNSUPPORTED_NODES
from noria.design.dmn.boxed import EXPRESSIONS, POLICIES
from noria.design.dmn.reader import IGNORED, NAMESPACES
from noria.design.feel.builtins import LIBRARY_NAMES
from noria.design.forms.reader import GROUPS, INPUTS, SHOWN
from noria.engine.behaviours import BEHAVIOURS

RATES = Path(__file__).parents[1] / "docs" / "reference" / "conformance.json"

LOOPS = {
    "standardLoopCharacteristics": LoopKind.STANDARD,
    'multiInstanceLoopCharacteristics isSequential="true"': LoopKind.SEQUENTIAL,
    'multiInstanceLoopCharacteristics isSequential="false"': LoopKind.PARALLEL,
}
KEPT = ("documentation", "textAnnotation", "group", "association", "category", "auditing", "monitoring")
"""BPMN elements without execution meaning; a test reads and writes each."""


def _rates() -> list[str]:
    counts: dict[str, list[int]] = json.loads(RATES.read_text(encoding="utf-8"))
    rows = []
    for suite, (passed, total) in sorted(counts.items()):
        rows.append((f"`{suite}`", str(passed), str(total), f"{passed / total:.1%}" if total else ""))
    return [
        "## What outside suites measured",
        "",
        "Of the run that last wrote `conformance.json` beside this page:",
        "`make conformance SUMMARY=docs/reference/conformance.json`. A suite that is not listed was not run; a rate is",
        "that of its suite and of nothing else.",
        "",
        *table(("suite", "passed", "cases", "share"), rows),
    ]


def outcomes() -> dict[str, str]:
    """BPMN element → executed, refused or kept."""
    found = {name: "executed" for name, kind in KINDS.items() if kind in BEHAVIOURS}
    found |= dict.fromkeys(GLOBAL_TASKS, "executed, when a call activity calls it")
    found |= dict.fromkeys(LOOPS, "executed")
    found |= dict.fromkeys(sorted(UNSUPPORTED_NODES), "refused")
    found |= dict.fromkeys(KEPT, "kept, no effect")
    found["association"] = "kept, no effect but from a compensation boundary event, where it names what compensates"
    return found


def support() -> str:
    """What is executed, refused or kept."""
    triggers = list(TriggerKind)
    kinds = [kind for kind in triggers if kind in {*TRIGGERS.values(), TriggerKind.NONE}]
    elements = [
        "## BPMN elements",
        "",
        *table(("element", "outcome"), [(f"`{name}`", outcome) for name, outcome in outcomes().items()]),
    ]
    events = [
        "## BPMN events: trigger by position",
        "",
        *table(
            ("position", *(kind.name.lower() for kind in kinds)),
            [
                (position, *("executed" if kind in ALLOWED[position] else "refused" for kind in kinds))
                for position in ALLOWED
            ],
        ),
    ]
    decisions = [
        "## DMN and FEEL",
        "",
        *table(
            ("what", "outcome"),
            [
                *((f"namespace `{name}`", "read; any other is refused") for name in sorted(NAMESPACES)),
                *((f"`{name}`", "executed") for name in sorted(EXPRESSIONS)),
                *((f"hit policy `{name}`", "executed") for name in POLICIES),
                *((f"`{name}`", "kept, no effect") for name in sorted(IGNORED)),
                ("any other element", "refused"),
                (f"{len(LIBRARY_NAMES)} functions: " + ", ".join(f"`{name}`" for name in LIBRARY_NAMES), "executed"),
            ],
        ),
    ]
    forms = [
        "## Form components",
        "",
        *table(
            ("type", "outcome"),
            [
                *((f"`{name}`", "checked by the server") for name in sorted(INPUTS | GROUPS)),
                *((f"`{name}`", "shown, holds no value") for name in sorted(SHOWN)),
                ("any other", "refused"),
            ],
        ),
    ]
    return page(
        "Support",
        "What of each standard is executed, what refuses deployment, and what is kept without effect, from the tables "
        "that the engine itself uses. Noria's own attributes: [BPMN](bpmn.md). What becomes of other engines' "
        "attributes: [import report](import.md).",
        elements,
        events,
        decisions,
        forms,
        _rates(),
    )
