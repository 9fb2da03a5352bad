"""Times of a task's packed systems on this machine, in turns with the base, and of what a user would take instead."""

import logging
from pathlib import Path

import tyro

from cascadebert.data.encoding import texts_of
from cascadebert.files import read_examples, write_csv
from cascadebert.inference.timetable import Asked, timetable

log = logging.getLogger(__name__)


def main(
    systems: list[Path],
    base: Path,
    cascade: Path,
    examples: Path,
    rows: int,
    speed_ups: list[float],
    batch_sizes: list[int],
    repeats: int,
    cores: int,
    out: Path,
    threads: int | None = None,
) -> None:
    """Time systems that are packed.

    Args:
        systems: folders.
        base: the one that all are measured against.
        cascade: the one that stands beside the pipeline of transformers, from text to answer.
        examples: text of the task's report part.
        rows: of the report split that are answered, at most.
        speed_ups: targets.
        batch_sizes: rows in a batch.
        repeats: turns.
        cores: that are free.
        out: a row a system, target, batch size and turn.
        threads: of torch, if not as many; never more.
    """
    if threads and threads > cores:
        log.warning("clock.threads is %d, and %d cores are free: as many threads are taken", threads, cores)
    frame = read_examples(examples)
    chosen = frame[frame["split"] == "report"].head(rows)
    texts = texts_of(chosen)
    taken = min(threads or cores, cores)
    asked = Asked(texts, speed_ups, batch_sizes, repeats)
    write_csv(out, timetable(systems, base, cascade, asked, taken))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tyro.cli(main, description=__doc__)
