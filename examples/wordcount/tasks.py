"""The queue and its one task. This is all a program needs to have durable jobs."""

import os
import time

from examples.wordcount import diary
from examples.wordcount.analysis import PERMANENT_ERRORS, FileFacts, analyse
from taskito import Queue, current_job

queue = Queue()  # its file is named by the environment variable TASKITO_DB_PATH

_diary = diary.Writer(os.environ.get(diary.VARIABLE))


@queue.task(max_retries=3, retry_backoff=0.2, dont_retry_on=PERMANENT_ERRORS)
def examine(path: str, pause: float = 0.0) -> FileFacts:
    """Count one file, after waiting ``pause`` seconds as for a slow service."""
    with _diary.attempt(current_job.id):
        time.sleep(pause)
        return analyse(path)
