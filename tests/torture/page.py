"""docs/reliability.md: what was done to Noria in the last run of the torture, and what came of it."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import textwrap
import time
from collections.abc import Sequence

import msgspec

from noria import __version__
from tests.databases import postgres_programs
from tests.torture.scenarios import Outcome


class Result(msgspec.Struct):
    """What a scenario gave.

    Attributes:
        name: of the scenario.
        does: what is done.
        zh: the same in a few words of Chinese.
        rounds: how many were run.
        skipped: why none was, "" when some were.
    """

    name: str
    does: str
    zh: str
    rounds: int = 0
    skipped: str = ""
    outcome: Outcome = msgspec.field(default_factory=Outcome)

    @property
    def failed(self) -> bool:
        return not self.outcome.verdict.holds


def row(result: Result) -> tuple[str, ...]:
    """A line of the table."""
    if result.skipped:
        return (result.name, *("-",) * 5, "skipped")
    outcome = result.outcome
    verdict = outcome.verdict
    counts = (outcome.cuts, outcome.commands, outcome.acknowledged, len(verdict.lost), len(verdict.doubled))
    return (result.name, *(f"{count:,}" for count in counts), "broken" if verdict.broken else "holds")


HEAD = ("scenario", "cuts", "commands", "acknowledged", "lost", "doubled", "chain")


def line(cells: Sequence[str]) -> str:
    """A line for the terminal."""
    return cells[0].ljust(22) + "".join(cell.rjust(14) for cell in cells[1:])


def versions() -> str:
    """What was run, and on what."""
    programs = postgres_programs()
    asked = [programs / "postgres", "--version"] if programs else []
    postgres = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()[2] if asked else "none"
    return (
        f"Noria {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL {postgres}, {platform.system()} {platform.release().partition('-')[0]}, {os.cpu_count()} cores"
    )


INTRO = """\
<!-- Written by `make torture`. Run it again, do not edit. -->

# Reliability

Clients that insist on an answer work with Noria while something is killed, cut off or filled. Each repeats a command
with the same idempotency key until it is accepted, now and then twice at once. In the end everything must come to its
end, and then: each accepted command is in the journal where its answer said, no key twice; each request has exactly one
of each event, one called part and one message received; serial numbers have no gap; the hash chains hold; the stored
states are byte for byte what replaying the journal gives; the board's figures are those of a fold from zero. *Lost*
counts what is missing, *doubled* what is there twice, *chain* is the rest.

客户端带着幂等键反复提交，直到得到确认；与此同时进程被杀、断电、磁盘写满、网络中断。最后检查：已确认的命令一条不少、一条不重，
编号无缺号，哈希链完整，重放日志与存储状态逐字节一致，看板数字与日志一致。本页由 `make torture` 写成。
"""

NOT_COVERED = """\
## What is not covered

- Power cuts under PostgreSQL: `kill -9` leaves what the operating system holds, a power cut does not. PostgreSQL runs
  with `fsync` and `synchronous_commit` on; that they hold is its own promise.
- Disks that lie: one that says a sync is done before it is, or that changes what was at rest. The chain tells
  (`noria audit verify`), it does not repair.
- Real disks in power cuts. What one may leave is a model: content of files torn by sector, removals that come back
  until the folder is synced. A file system may break otherwise.
- Attachments, sign-ins, people and models: the clients start, complete and publish. The first deployment is made under
  power cuts, but nobody is promised it.
- Networks that are slow, lose single packets or deliver twice; more than two machines; PostgreSQL with replicas.
- Clocks that jump: `tests/simulation` has those.
"""

AGAIN = """\
## Again

```sh
make torture TORTURE="--minutes 60"       # longer; shared out evenly among the scenarios
make torture TORTURE="--seed {seed}"   # the same draws; what they meet differs
make torture TORTURE="--only power-cut"   # one scenario; the page is left as it is
```

`make test` runs a short version of each. Scenarios are in `tests/torture/scenarios.py`, what is checked in
`tests/torture/proof.py`.
"""


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _sums(outcome: Outcome) -> str:
    told = [f"{count:,} {name}" for name, count in sorted(outcome.seen.items()) if count]
    if outcome.takeovers_ms:
        ordered = sorted(outcome.takeovers_ms)
        told.append(f"takeover after {ordered[len(ordered) // 2]:,} ms (median), {ordered[-1]:,} ms (slowest)")
    return "; ".join(told)


def page(results: Sequence[Result], seed: int, minutes: float, at: time.struct_time) -> str:
    """The page, whole."""
    failed = [result.name for result in results if result.failed]
    skipped = [result for result in results if result.skipped]
    lines = [
        INTRO,
        f"## The last run: {'**failed: ' + ', '.join(failed) + '**' if failed else 'nothing lost, nothing doubled'}",
        "",
        _filled(f"{time.strftime('%Y-%m-%d %H:%M', at)} UTC, {minutes:.0f} minutes, seed {seed}. {versions()}."),
        "",
        f"| {' | '.join(HEAD)} |",
        f"| --- | {' | '.join(['---:'] * 5)} | --- |",
        *(f"| {' | '.join(row(result))} |" for result in results),
        "",
    ]
    for result in skipped:
        lines += [f"`{result.name}` was skipped: {result.skipped}.", ""]
    for result in results:
        if found := result.outcome.verdict.all:
            lines += [f"Found by `{result.name}`:", "", *(f"- {text}" for text in found[:20]), ""]
    lines += ["## What is done", ""]
    for result in results:
        lines += [f"### {result.name} · {result.zh}", "", _filled(result.does), ""]
        if sums := _sums(result.outcome):
            lines += [_filled(f"In {result.rounds} rounds: {sums}."), ""]
    return "\n".join([*lines, NOT_COVERED, AGAIN.format(seed=seed)])
