"""The command ``noria``."""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import click
import msgspec

from noria import __version__
from noria.adapters.cli.exporting import export_command
from noria.adapters.cli.importing import import_command
from noria.adapters.cli.options import FILES
from noria.adapters.cli.people import told, write
from noria.adapters.cli.simulation import sim_command
from noria.adapters.cli.trial import decide_command, run_command
from noria.design.findings import Finding, has_errors
from noria.kernel.errors import NoriaError
from noria.kernel.numbers import whole_number
from noria.operate.auditing import AuditVerdict
from noria.operate.bundles import check_bundle
from noria.operate.calendar_drafts import CalendarDraft
from noria.operate.rosters import ImportView


class Composition(Protocol):
    """What the composition root does for the command line."""

    async def serve(self, url: str, host: str, port: int, peers: str) -> None:
        """Serve until stopped."""
        ...

    def serve_processes(self, url: str, host: str, port: int, peers: str, count: int) -> None:
        """Serve with several processes until stopped."""
        ...

    async def demo(self, url: str, host: str, port: int, requests: int) -> None:
        """Seed a small company and serve it."""
        ...

    async def verify(self, url: str) -> AuditVerdict:
        """Verify the audit trail."""
        ...

    async def rebuild(self, url: str) -> None:
        """Fold the journal again."""
        ...

    async def rebuild_search(self, url: str) -> None:
        """Fill the search index again."""
        ...

    async def deploy(self, url: str, files: Mapping[str, bytes]) -> Any:
        """Deploy files."""
        ...

    async def check(self, url: str, files: Mapping[str, bytes]) -> Any:
        """Check files against what is deployed and published."""
        ...

    async def import_people(
        self,
        url: str,
        files: Mapping[str, bytes],
        *,
        apply: bool,
        absent: Literal["keep", "deactivate"],
        valid_from: str,
    ) -> ImportView:
        """Import people, units and posts."""
        ...

    async def export_people(self, url: str, kind: Literal["xlsx", "csv"], *, chinese: bool, at: str) -> bytes:
        """Export people, units and posts."""
        ...

    async def calendar(self, url: str, key: str) -> CalendarDraft:
        """A working calendar in force, as a draft of its next version."""
        ...

    async def publish_calendar(self, url: str, key: str, draft: CalendarDraft) -> int:
        """Publish a working calendar; gives its version."""
        ...

    def public_holidays(self, year: int) -> Any:
        """Holidays and make-up workdays of a year, as the holiday package has them."""
        ...


_data = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=None, help="Folder of the embedded database."
)
_database = click.option("--database", default="", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.")


PROCESSES_MAX = 64
"""More processes than shards would have nothing to do."""

# The faster loop, where there is one.
run = asyncio.run if sys.platform == "win32" else import_module("uvloop").run


def _url(data: Path | None, database: str, default: str = "data") -> str:
    if database and data:
        raise click.UsageError("Give --data or --database, not both.")
    return database or f"sqlite:///{(data or Path(default)) / 'noria.db'}"


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    number = whole_number(port, 65_535)
    if not colon or not host or number is None:
        raise click.UsageError("--listen takes HOST:PORT, such as 127.0.0.1:8080.")
    return host.strip("[]"), number


@click.group()
@click.version_option(__version__)
def group() -> None:
    """Noria (筒车): business process management as one closed loop."""


@group.command()
@_data
@_database
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port to listen on.")
@click.option("--listen", default="", metavar="HOST:PORT", help="Both in one, instead of --host and --port.")
@click.option(
    "--processes",
    type=click.IntRange(1, PROCESSES_MAX),
    default=1,
    show_default=True,
    help="How many processes serve this address together; several need PostgreSQL.",
)
@click.option(
    "--peers",
    default="127.0.0.1:0",
    show_default=True,
    metavar="HOST:PORT",
    help="Where other processes on the same PostgreSQL reach this one; port 0 takes any that is free.",
)
@click.pass_obj
def serve(
    root: Composition,
    data: Path | None,
    database: str,
    host: str,
    port: int,
    listen: str,
    processes: int,
    peers: str,
) -> None:
    """Serve Noria. The first start creates the administrator and prints the password once.

    Started several times on one PostgreSQL, on addresses of their own, the processes share the work.
    """
    url = _url(data, database)
    if listen:
        host, port = _address(listen)
    if processes > 1:
        if not peers.endswith(":0"):
            raise click.UsageError("--peers HOST:0 with several processes: each takes a port of its own.")
        root.serve_processes(url, host, port, peers, processes)
    else:
        run(root.serve(url, host, port, peers))


@group.command()
@_data
@_database
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port to listen on.")
@click.option("--requests", default=420, show_default=True, help="About how many requests to simulate.")
@click.option("--browser/--no-browser", default=False, help="Open the pages in a browser.")
@click.pass_obj
def demo(
    root: Composition, data: Path | None, database: str, host: str, port: int, requests: int, browser: bool
) -> None:
    """Try Noria with a small company and months of simulated requests. Its accounts are for trying only."""
    click.echo(
        "Noria demo 筒车演示: the company, its accounts and its requests are simulated (数据为模拟, 账号仅供试用)."
    )
    if browser:
        webbrowser.open(f"http://{host}:{port}/")
    run(root.demo(_url(data, database, "data/demo"), host, port, requests))


def _read(files: tuple[Path, ...]) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in files}


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        click.echo(str(finding))


@group.command()
@FILES
@_data
@_database
@click.pass_obj
def check(root: Composition, files: tuple[Path, ...], data: Path | None, database: str) -> None:
    """Check models. One finding a line; exit code 1 if one is an error.

    With --data or --database also against what is there: decisions, forms and working calendars. Nothing is deployed.
    """
    if data or database:
        url = _url(data, database)
        there = Path(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite:///") and not there.is_file():
            raise click.UsageError(f"There is no database at {there}.")
        findings: list[Finding] = run(root.check(url, _read(files))).findings
    else:
        findings = check_bundle(_read(files)).findings
    _print(findings)
    if has_errors(findings):
        raise SystemExit(1)
    click.echo(f"{len(files)} file(s): no errors.", err=True)


@group.command()
@FILES
@_data
@_database
@click.pass_obj
def deploy(root: Composition, files: tuple[Path, ...], data: Path | None, database: str) -> None:
    """Deploy models into a database, all or nothing."""
    named = {path.name: path.read_bytes() for path in files}
    deployed = run(root.deploy(_url(data, database), named))
    _print(deployed.findings)
    if not deployed.id:
        raise SystemExit(1)
    for row in deployed.definitions:
        click.echo(f"{row.key} version {row.version}: {row.name}")


@group.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
@_data
@_database
@click.pass_obj
def verify(root: Composition, data: Path | None, database: str) -> None:
    """Check the hash chains, and every stored state against the replay of its events; names the first bad entry."""
    verdict = run(root.verify(_url(data, database)))
    click.echo(
        f"{verdict.rows} commands, {verdict.records} records and {verdict.instances} instances checked.", err=True
    )
    if verdict.first_bad:
        click.echo(f"BAD {verdict.first_bad}: {verdict.reason}")
        raise SystemExit(1)
    click.echo("OK")


@group.group()
def calendar() -> None:
    """Working calendars: hours, holidays and make-up workdays (调休)."""


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


@calendar.command()
@click.argument("key", default="default")
@_data
@_database
@click.pass_obj
def show(root: Composition, key: str, data: Path | None, database: str) -> None:
    """Print the calendar in force as JSON, ready to be changed and published."""
    click.echo(_json(run(root.calendar(_url(data, database), key))))


@calendar.command()
@click.argument("key")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", default="", help="Why it is published.")
@_data
@_database
@click.pass_obj
def publish(root: Composition, key: str, file: Path, note: str, data: Path | None, database: str) -> None:
    """Publish a calendar from a JSON file as its next version.

    A running server reads it at once, and counts due dates anew that lay behind the last known year.
    """
    try:
        draft = msgspec.json.decode(file.read_bytes(), type=CalendarDraft)
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{file} is no calendar: {error}. `noria calendar show` prints one.") from None
    if note:
        draft.note = note
    version = run(root.publish_calendar(_url(data, database), key, draft))
    click.echo(f"{key} version {version}")


@calendar.command()
@click.argument("year", type=click.IntRange(1970, 2200))
@click.pass_obj
def holidays(root: Composition, year: int) -> None:
    """Print public holidays and make-up workdays of a year in mainland China, and whether they are published yet."""
    click.echo(_json(root.public_holidays(year)))


@group.command("rebuild-board")
@_data
@_database
@click.pass_obj
def rebuild_board(root: Composition, data: Path | None, database: str) -> None:
    """Drop the board's projection and fold the whole journal again."""
    run(root.rebuild(_url(data, database)))
    click.echo("OK")


@group.command("rebuild-search")
@_data
@_database
@click.pass_obj
def rebuild_search(root: Composition, data: Path | None, database: str) -> None:
    """Empty the search index and fill it again."""
    run(root.rebuild_search(_url(data, database)))
    click.echo("OK")


@group.group()
def people() -> None:
    """People, units and posts as files: a workbook (.xlsx), or CSV files called units, people and posts."""


@people.command("import")
@FILES
@_data
@_database
@click.option("--apply", is_flag=True, help="Write it; without this it is only shown what would change.")
@click.option(
    "--absent",
    type=click.Choice(["keep", "deactivate"]),
    default="keep",
    help="Whether people and units that a table does not name stay.",
)
@click.option("--valid-from", default="", help="Date or instant from which on it holds; at once without it.")
@click.pass_obj
def import_people(
    root: Composition,
    files: tuple[Path, ...],
    data: Path | None,
    database: str,
    *,
    apply: bool,
    absent: Literal["keep", "deactivate"],
    valid_from: str,
) -> None:
    """Show what files would change, row by row what is wrong with them, and write them with --apply, all or nothing."""
    named = {path.name: path.read_bytes() for path in files}
    try:
        view = run(root.import_people(_url(data, database), named, apply=apply, absent=absent, valid_from=valid_from))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for line in told(view):
        click.echo(line)
    if view.errors_total:
        raise SystemExit(1)


@people.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_data
@_database
@click.option("--chinese", is_flag=True, help="Headings in Chinese; either language is imported.")
@click.option("--at", default="", help="Date or instant whose organisation is exported; now without it.")
@click.pass_obj
def export_people(root: Composition, file: Path, data: Path | None, database: str, *, chinese: bool, at: str) -> None:
    """Write a workbook (.xlsx) or an archive of CSV files (.zip)."""
    kinds: dict[str, Literal["xlsx", "csv"]] = {".xlsx": "xlsx", ".zip": "csv"}
    if file.suffix not in kinds:
        raise click.UsageError("The file ends with .xlsx or .zip.")
    try:
        content = run(root.export_people(_url(data, database), kinds[file.suffix], chinese=chinese, at=at))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    write(file, content)


group.add_command(import_command)
group.add_command(export_command)
group.add_command(run_command)
group.add_command(decide_command)
group.add_command(sim_command)


def progress(done: int, total: int, what: str) -> None:
    """One line that moves on, on terminals; a line now and then elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r{what}: {done}/{total}   ", nl=False, err=True)
        if done >= total:
            click.echo("", err=True)
    elif done % 100 == 0 or done >= total:
        click.echo(f"{what}: {done}/{total}", err=True)


def say_ready(host: str, port: int) -> None:
    """Where the pages are."""
    click.echo(f"Noria is ready: http://{host}:{port}/  (stop with Ctrl-C)")
    sys.stdout.flush()


def say_administrator(username: str, password: str) -> None:
    """The first administrator's password, shown this once."""
    click.echo(f"First administrator created: {username} / {password}\nThis password is shown only now; change it.")
    sys.stdout.flush()


def main(obj: Composition) -> None:
    """Run the command line; an error of Noria is one sentence and exit code 1."""
    try:
        group(obj=obj, prog_name="noria")
    except NoriaError as error:
        click.echo(f"{error.code}: {error.message}", err=True)
        raise SystemExit(1) from None
