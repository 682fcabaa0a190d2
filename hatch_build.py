"""Build hook of the wheel: the web pages are part of it, so that an installed Noria needs no Node.

A tree that already holds the built pages (a source distribution, or after ``npm run build``) is packed as it is; an
editable install needs none of them; otherwise they are built here from the lock file.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebPagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes sure that ``src/noria/adapters/http/static`` exists before files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages when they are missing and this is not an editable install.

        Args:
            version: the build's flavour, ``"standard"`` or ``"editable"``.
            build_data: hatchling's mutable settings of this build; not changed here.

        Raises:
            RuntimeError: the pages are missing and npm is not installed, or npm failed.
        """
        del build_data
        root = Path(self.root)
        if version == "editable" or (root / "src/noria/adapters/http/static/index.html").is_file():
            return
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(
                "The web pages are not built and npm is not installed: install Node.js 20 or later, or build from a "
                "source distribution, which contains the pages."
            )
        for arguments in (("ci", "--ignore-scripts"), ("run", "build")):
            done = subprocess.run([npm, *arguments], cwd=root / "web", check=False)  # noqa: S603
            if done.returncode != 0:
                raise RuntimeError(
                    f"npm {' '.join(arguments)} failed with exit code {done.returncode} in {root / 'web'}."
                )
