"""What vendors say about a process as a whole: versions, retention, the priority of its work."""

from __future__ import annotations

from noria.design.importing import jobs
from noria.design.importing.working import Work
from noria.design.xml import Node

_CODES = {
    "historyTimeToLive": "import.retention",
    "versionTag": "import.version_tag",
}


def process(work: Work, node: Node) -> None:
    """Attributes of the process."""
    for name, code in _CODES.items():
        work.report(node, code, name)
    jobs.priority(work, node, work.take(node, "jobPriority"))
    jobs.priority(work, node, work.take(node, "taskPriority"))
