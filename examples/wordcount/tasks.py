"""The queue and its one task. This is all a program needs to have durable jobs."""

import os
import time

from examples.wordcount import diary
from examples.wordcount.analysis import PERMANENT_ERRORS, FileFacts, analyse
from taskito import Queue

queue = Queue()  # its file is named by the environment variable TASKITO_DB_PATH

_diary = diary.Writer(os.environ.get(diary.VARIABLE))


@queue.task(max_retries=3, retry_backoff=0.2, dont_retry_on=PERMANENT_ERRORS)
def examine(number: int, path: str, pause: float) -> FileFacts:
    """Count one file, the ``number``-th, after waiting ``pause`` seconds as for a slow service."""
    with _diary.attempt(number):
        time.sleep(pause)
        return analyse(path)
