"""``noria import``: files of other vendors, to files that Noria deploys, with a report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click
import msgspec

from noria.adapters.cli.options import converts_into
from noria.design.importing import Imported, ReportLine, import_file

_ENDINGS = (".bpmn20.xml", ".bpmn.xml", ".bpmn", ".xml")
_OUTCOMES = {
    "mapped": {"en": "mapped", "zh": "已映射"},
    "changed": {"en": "mapped with a change", "zh": "有变化地映射"},
    "needs_work": {"en": "needs work", "zh": "需要处理"},
}
_SUMMARY = {
    "en": "{file}: {mapped} mapped, {changed} mapped with a change, {needs_work} need work",
    "zh": "{file}：已映射 {mapped} 项，有变化地映射 {changed} 项，需要处理 {needs_work} 项",
}


@click.command("import")
@converts_into("imported", "import")
def import_command(files: tuple[Path, ...], folder: Path, report: str, language: str, *, overwrite: bool) -> None:
    """Import BPMN and DMN files of Camunda, Operaton, Zeebe, Flowable, Activiti and SpiffWorkflow.

    Writes NAME.bpmn, NAME.dmn and the forms that were made, and prints what became of every vendor's attribute. Exit
    code 0 when nothing needs work, 1 when something does, 2 when a file cannot be read.
    """
    targets = _targets(files, folder)
    imported = [(path, targets[path], import_file(path.read_bytes(), path.name)) for path in files]
    _write(imported, folder, overwrite=overwrite)
    if report == "json":
        click.echo(
            json.dumps([_as_json(path, target, result) for path, target, result in imported], ensure_ascii=False)
        )
    else:
        for path, _, result in imported:
            _print(path, result, language)
    if any(result.document is None for _, _, result in imported):
        raise SystemExit(2)
    if any(result.needs_work for _, _, result in imported):
        raise SystemExit(1)


def _targets(files: tuple[Path, ...], folder: Path) -> dict[Path, Path]:
    """Where each file's result goes; no input and no other result is overwritten.

    Raises:
        click.UsageError: it would be.
    """
    targets: dict[Path, Path] = {}
    sources = {path.resolve() for path in files}
    for path in files:
        name = path.name
        ending = ".dmn" if name.lower().endswith(".dmn") else ".bpmn"
        stem = next((name[: -len(known)] for known in (*_ENDINGS, ".dmn") if name.lower().endswith(known)), name)
        target = folder / f"{stem}{ending}"
        if target.resolve() in sources:
            raise click.UsageError(f"{target} would be overwritten; give another folder with --to.")
        if target in targets.values():
            raise click.UsageError(f"Two files would become {target}; import them one by one, into two folders.")
        targets[path] = target
    return targets


def _write(imported: list[tuple[Path, Path, Imported]], folder: Path, *, overwrite: bool) -> None:
    """Write models and forms, all or none.

    Raises:
        click.UsageError: a file is there already, or two would have the same name.
    """
    contents: dict[Path, bytes] = {}
    for _, target, result in imported:
        made = {folder / name: content for name, content in result.forms.items()}
        if result.document is not None:
            made[target] = result.document
        for path, content in made.items():
            if contents.setdefault(path, content) != content:
                raise click.UsageError(f"Two files would become {path}; import them one by one, into two folders.")
            if path.exists() and not overwrite:
                raise click.UsageError(f"{path} is there already; give another folder with --to, or --overwrite.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        path.write_bytes(content)


def _print(path: Path, result: Imported, language: str) -> None:
    for line in result.lines:
        click.echo(_text(line, language))
    counts = Counter(line.outcome for line in result.lines)
    shown = {outcome: counts[outcome] for outcome in ("mapped", "changed", "needs_work")}
    click.echo(_SUMMARY[language].format(file=path, **shown), err=True)


def _text(line: ReportLine, language: str) -> str:
    outcome = _OUTCOMES[line.outcome][language]
    return f"{line.file}:{line.line}: {line.element or '-'}: {line.code}: {line.sentence(language)} ({outcome})"


def _as_json(path: Path, target: Path, result: Imported) -> dict[str, object]:
    lines = [
        {**msgspec.to_builtins(line), "sentences": {"en": line.sentence("en"), "zh": line.sentence("zh")}}
        for line in result.lines
    ]
    written = str(target) if result.document is not None else None
    return {"file": str(path), "written": written, "forms": sorted(result.forms), "lines": lines}
