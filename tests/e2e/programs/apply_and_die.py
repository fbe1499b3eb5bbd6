"""Apply a workflow and be killed the moment that is done."""

import os
import signal
import sys

from taskito import chain, group
from tests.e2e.programs.workshop import extend, join, marks, note

members = int(sys.argv[1])
job = chain(
    note.s("first"),
    group(extend.s(f" {number}") for number in range(members)),
    join.s("joined"),
    extend.s("."),
).apply()
marks.leave("ack", "workflow", job.id)
os.kill(os.getpid(), signal.SIGKILL)
