"""How long a run still takes: by the cost model at first, then by the pace of the jobs that have ended."""

from dataclasses import dataclass

TRUSTED = 0.05
"""Share of the work after which the pace of this machine counts, and the model's no longer."""


@dataclass
class Progress:
    """What is left of a run.

    Attributes:
        waiting: seconds on one core that the model expects of each job that has not ended, by its id.
        cores: that work at a time.
        begun: when the run began, in seconds.
        ended: seconds that the model expected of the jobs that have ended.
    """

    waiting: dict[int, float]
    cores: int
    begun: float
    ended: float = 0.0

    def end(self, job: int) -> None:
        """Count a job as done."""
        self.ended += self.waiting.pop(job, 0.0)

    def left(self, now: float) -> float:
        """Seconds until the last job ends, if all cores have work until then."""
        work = sum(self.waiting.values())
        known = now > self.begun and self.ended > TRUSTED * (self.ended + work)
        return work / (self.ended / (now - self.begun) if known else self.cores)


def narrowest(limits: dict[str, int]) -> tuple[str, int]:
    """What limits how many jobs work at a time, and to how many; with 0 GPUs allowed, jobs ask for none.

    >>> narrowest({"core": 16, "GPU": 1}), narrowest({"core": 2, "GPU": 0})
    (('GPU', 1), ('core', 2))
    """
    unit = min((unit for unit, most in limits.items() if most), key=limits.__getitem__)
    return unit, limits[unit]


def spoken(seconds: float) -> str:
    """A span of time as one says it.

    >>> [spoken(seconds) for seconds in (20.0, 80.0, 100.0, 3500.0, 9500.0)]
    ['less than a minute', 'about a minute', 'about 2 minutes', 'about 58 minutes', 'about 2.6 hours']
    """
    if seconds < 90:
        return "less than a minute" if seconds < 60 else "about a minute"
    return f"about {seconds / 60:.0f} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"
