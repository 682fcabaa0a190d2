"""Runs every outside suite that is found and prints one line for each: name, passed, total.

    python -m tests.conformance.run [FOLDER] [--results FOLDER] [--summary FILE]

Beside the lines it writes `conformance.json`, the verdict on each case, and `tck_results.csv`, the DMN TCK's own form.
With `--summary docs/reference/conformance.json` the rates that the support page shows are those of this run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.conformance import dmn_tck, vendor_files
from tests.conformance.suites import SUITES
from tests.conformance.vendor_scenarios import VENDORS, vendor_scenarios
from tests.conformance.verdicts import Verdict
from tests.shared import SHARED


def main() -> None:
    """Run what is there. A folder without a runner is named on the error output, never counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED / "conformance", help="where the suites are")
    parser.add_argument("--results", type=Path, default=Path("conformance-results"), help="where results are written")
    parser.add_argument("--summary", type=Path, help="where the numbers of this run are kept")
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        parser.error(f"{asked.folder} is not a folder; name the one that holds the suites.")
    verdicts: dict[str, list[Verdict]] = {}
    lines: list[str] = []

    def tell(name: str, found: list[Verdict]) -> None:
        verdicts[name] = found
        print(f"{name} {sum(one.passed for one in found)} {len(found)}", flush=True)

    for suite in sorted(path for path in asked.folder.iterdir() if path.is_dir()):
        if suite.name == "dmn-tck":
            for level in sorted(suite.glob("compliance-level-*")):
                found = dmn_tck.run_level(level)
                lines += [dmn_tck.csv_line(level.name, one) for one in found]
                cases = [(one.has_value, Verdict(f"{one.folder}/{one.case}", one.passed, one.comment)) for one in found]
                tell(f"{suite.name}/{level.name}", [verdict for _, verdict in cases])
                tell(f"{suite.name}/{level.name}/with-a-value", [verdict for valued, verdict in cases if valued])
        elif suite.name in VENDORS:
            scenarios = list(vendor_scenarios(suite))
            tell(f"{suite.name}/neutral", [verdict for neutral, verdict in scenarios if neutral])
            tell(f"{suite.name}/all", [verdict for _, verdict in scenarios])
            tell(f"{suite.name}/vendor-attributes-recognised", list(vendor_files.attributes(suite)))
            tell(f"{suite.name}/files-imported-without-work", list(vendor_files.files(suite)))
        elif suite.name in SUITES:
            tell(suite.name, list(SUITES[suite.name](suite)))
        else:
            print(f"{suite.name}: nothing here runs it", file=sys.stderr)
    asked.results.mkdir(parents=True, exist_ok=True)
    whole = {name: [one._asdict() for one in found] for name, found in verdicts.items()}
    (asked.results / "conformance.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")
    if asked.summary is not None:
        counts = {name: [sum(one.passed for one in found), len(found)] for name, found in sorted(verdicts.items())}
        asked.summary.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    if lines:
        (asked.results / "tck_results.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
