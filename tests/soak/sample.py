"""What a look at the processes and files of a soak tells, and whether it stays within bounds."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import linear_regression, quantiles

MIB = 2**20
MOST_LOG_MIB = 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look. Sizes are in MiB.

    Attributes:
        at: seconds since the start.
        done: attempts that ended so far.
        worker_mib: memory of the worker that is never restarted.
        worker_files: its open descriptors.
        worker_threads: its threads.
        producer_mib: memory of the producer that is never restarted.
        producer_files: its open descriptors.
        file_mib: the database file.
        log_mib: its write-ahead log.
        others: files beside them.
        p99_ms: start latency of brief jobs since the last look, 99th percentile.
    """

    at: float
    done: int
    worker_mib: float
    worker_files: int
    worker_threads: int
    producer_mib: float
    producer_files: int
    file_mib: float
    log_mib: float
    others: int
    p99_ms: float

    @staticmethod
    def header() -> str:
        return " ".join(f"{field.name:>14}" for field in fields(Sample))

    def line(self) -> str:
        return " ".join(f"{getattr(self, field.name):14.1f}" for field in fields(self))


def memory_mib(pid: int) -> float:
    """Resident memory, that which is shared included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no memory")


def count(folder: str) -> int:
    return len(list(Path(folder).iterdir()))


def size_mib(path: Path) -> float:
    return path.stat().st_size / MIB if path.exists() else 0.0


def p99_ms(latencies: Sequence[float]) -> float:
    """The 99th percentile in ms; 0 for too few."""
    return quantiles(latencies, n=100)[98] * 1000 if len(latencies) > 10 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may change in the second half of a soak.

    Attributes:
        growth: of memory, as a share of what it was at half time.
        files: more descriptors than at half time.
        file_growth: of the database file, as a share.
    """

    growth: float = 0.03
    files: int = 4
    file_growth: float = 0.25

    def broken_by(self, samples: Sequence[Sample]) -> list[str]:
        """What grew too much, in words; nothing if all is well."""
        half = samples[len(samples) // 2 :]
        first, second = half[: len(half) // 2], half[len(half) // 2 :]
        broken: list[str] = []
        shares = {"worker_mib": self.growth, "producer_mib": self.growth}
        for name, share in {**shares, "file_mib": self.file_growth}.items():
            growth, begin = growth_of(half, name)
            if growth > max(1.0, share * begin):
                broken.append(f"{name} grew by {growth:.1f} MiB in the second half")
        for name in ("worker_files", "producer_files", "worker_threads", "others"):
            more = most(second, name) - most(first, name)
            if more > self.files:
                broken.append(f"{name} grew by {more:.0f} in the second half")
        if most(samples, "log_mib") > MOST_LOG_MIB:
            broken.append(f"the log was longer than {MOST_LOG_MIB:.0f} MiB")
        return broken


def growth_of(samples: Sequence[Sample], name: str) -> tuple[float, float]:
    """How much it grew along a line through the samples, and where that line begins."""
    times = [sample.at for sample in samples]
    line = linear_regression(times, [float(getattr(sample, name)) for sample in samples])
    return line.slope * (times[-1] - times[0]), line.intercept + line.slope * times[0]


def most(samples: Sequence[Sample], name: str) -> float:
    return max(float(getattr(sample, name)) for sample in samples)


class Latencies:
    """Follows the record of start latencies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def fresh(self) -> list[float]:
        """What was noted since the last call, in seconds."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = len(data) // 8 * 8
        self._offset += whole
        return [value for (value,) in struct.iter_unpack("=d", data[:whole])]
