"""What one job computes: a file's hash, its words and its most frequent terms. No queue here."""

import codecs
import errno
import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
"""How much of a file is in memory at once."""

LONGEST_WORD = 1000
"""A longer run of word characters may be counted as two, so that any file fits into memory."""

TERM_LETTERS = 4
TERMS_PER_FILE = 25

_WORD = re.compile(r"\w+")


class NotAFileError(OSError):
    """The name stands for something that has no content to count, such as a pipe or a loop."""


PERMANENT_ERRORS = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    NotAFileError,
)
"""Trying again does not help: a job that raises one of these is dead at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a job returns about one file.

    Attributes:
        sha256: hash of the bytes, in hexadecimal.
        size: number of bytes that were read.
        modified_ns: when the file was last changed, to recognise one that changes meanwhile.
        words: runs of letters, digits and underscores in the text.
        terms: the most frequent words of at least four letters, lower case, with their counts.
    """

    sha256: str
    size: int
    modified_ns: int
    words: int
    terms: tuple[tuple[str, int], ...]


def analyse(path: str) -> FileFacts:
    """Read one file and count it.

    Text is taken as UTF-8; bytes that are not UTF-8 count as no word character, so binary
    files are no error.

    Raises:
        OSError: the file cannot be opened or read; ``PERMANENT_ERRORS`` are those that stay.
    """
    digest = hashlib.sha256()
    words = size = 0
    terms: Counter[str] = Counter()
    with _open_regular(path) as handle:
        modified_ns = os.fstat(handle.fileno()).st_mtime_ns
        for text, block_bytes in _texts(handle, digest.update):
            found = _WORD.findall(text.lower())
            words += len(found)
            size += block_bytes
            terms.update(word for word in found if len(word) >= TERM_LETTERS and word.isalpha())
    return FileFacts(
        sha256=digest.hexdigest(),
        size=size,
        modified_ns=modified_ns,
        words=words,
        terms=tuple(terms.most_common(TERMS_PER_FILE)),
    )


def _open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading; never wait for the other end of a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
            raise NotAFileError(error.errno, error.strerror, path) from error
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb", buffering=0)
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise NotAFileError(errno.EINVAL, "Not a regular file", path)


def _texts(handle: BinaryIO, update: Callable[[bytes], None]) -> Iterator[tuple[str, int]]:
    """Yield the text in pieces that end between two words, and each piece's share of bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest = ""
    while block := handle.read(BLOCK_BYTES):
        update(block)
        text = rest + decoder.decode(block)
        cut = _start_of_last_word(text)
        rest = text[cut:]
        yield text[:cut], len(block)
    yield rest + decoder.decode(b"", final=True), 0


def _start_of_last_word(text: str) -> int:
    """Where the word begins that the end of ``text`` may have cut in two."""
    start = len(text)
    lowest = max(0, start - LONGEST_WORD)
    while start > lowest and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return start
