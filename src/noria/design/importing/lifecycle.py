"""What vendors say about a process as a whole: versions, retention, priorities of jobs."""

from __future__ import annotations

from noria.design.importing.working import Work
from noria.design.xml import Node

_CODES = {
    "historyTimeToLive": "import.retention",
    "versionTag": "import.version_tag",
    "jobPriority": "import.job_priority",
    "taskPriority": "import.job_priority",
}


def process(work: Work, node: Node) -> None:
    """Attributes of the process."""
    for name, code in _CODES.items():
        work.report(node, code, name)
