"""The command `cascadebert`: a trained system asked, described and timed. torch is loaded only to answer."""

import io
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import tyro

from cascadebert.layouts import Problem

Source = Annotated[str, tyro.conf.Positional]
Device = str | None
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Backend = Literal["torch", "onnxruntime"]


def predict(
    system: Source,
    texts: Source = "-",
    /,
    speed_up: float | None = None,
    agreement: float | None = None,
    threshold: tuple[float, ...] | None = None,
    each: bool = False,
    columns: tuple[str, ...] | None = None,
    label: str | None = None,
    form: Literal["txt", "csv", "tsv", "jsonl", "json", "parquet"] | None = None,
    out: str = "-",
    batch_size: int = 32,
    revision: str | None = None,
    device: Device = None,
    precision: Precision = "auto",
    backend: Backend = "torch",
) -> None:
    """Answer texts.

    Examples: cascadebert predict FOLDER reviews.csv --speed-up 3 --out answers.jsonl;
    cascadebert predict FOLDER pairs.jsonl --columns premise hypothesis --label gold --agreement 0.98;
    echo "a fine film" | cascadebert predict FOLDER

    Args:
        system: folder of a packed system, or OWNER/NAME on the model hub.
        texts: .txt (a text a line), .csv, .tsv, .jsonl, .json or .parquet, also with .gz; - for standard input.
        speed_up: ratio in layers, from 1 to the largest possible.
        agreement: share of the base's answers that must be kept, with 95 % confidence: the fastest such setting.
        threshold: the exit rule's own, or one for each exit but the last.
        each: with --speed-up, a threshold for each member of a cascade of three or more.
        columns: that hold the text, or both texts of a pair; found by their names where none is given.
        label: column that holds labels; the score is then printed.
        form: of the texts; by default that of the file's ending, and a text a line for standard input.
        out: .jsonl or .csv, also with .gz; - for standard output, as JSON Lines.
        batch_size: texts in a batch.
        revision: of a repository: a branch, a tag or a commit.
        device: to compute on; a GPU if there is one.
        precision: to compute in; auto is that of training where the device computes it natively, else fp32.
        backend: onnxruntime is faster for a cascade that answers one text at a time on a CPU; an extra.
    """
    from cascadebert.inference.asking import ask

    for name, values in (("--threshold", threshold), ("--columns", columns)):
        if values == ():
            raise Problem(f"{name} has no value: give one after it, or leave it out.")
    chosen = list(threshold) if threshold and len(threshold) > 1 else threshold[0] if threshold else None
    loaded = _load(system, revision, device, precision, backend)
    setting = loaded.setting(speed_up, agreement, chosen, each)
    print(ask(loaded, setting, texts, form, columns or (), label, out, batch_size), file=sys.stderr)


def info(system: Source, /, revision: str | None = None) -> None:
    """Describe a system: its members, and what it gives at which speed.

    Args:
        system: folder of a packed system, or OWNER/NAME on the model hub.
        revision: of a repository: a branch, a tag or a commit.
    """
    from cascadebert.inference.cards import summary
    from cascadebert.inference.folder import read_manifest
    from cascadebert.inference.sharing import located

    folder, root = located(system, revision)
    print(summary(read_manifest(folder, root)))


def bench(
    system: Source,
    /,
    texts: str | None = None,
    columns: tuple[str, ...] = (),
    speed_ups: tuple[float, ...] = (2.0, 3.0, 4.0),
    batch_sizes: tuple[int, ...] = (1, 32),
    rows: int = 256,
    repeats: int = 5,
    revision: str | None = None,
    device: Device = None,
    precision: Precision = "auto",
    backend: Backend = "torch",
) -> None:
    """Time a system on this machine: its last exit alone against each of its speed-ups, in turns.

    Without texts, rows of the lengths of the selection split leave where those instances left; what takes time is the
    same. With texts they are tokenised as well, and leave where they leave.

    Args:
        system: folder of a packed system, or OWNER/NAME on the model hub.
        texts: a file, as of `cascadebert predict`.
        columns: as of `cascadebert predict`.
        speed_ups: ratios in layers; those that the system cannot have are left out.
        batch_sizes: texts in a batch.
        rows: that are answered, at most.
        repeats: of each measurement; the median is printed, with the smallest and the largest.
        revision: of a repository: a branch, a tag or a commit.
        device: to compute on; a GPU if there is one.
        precision: to compute in; auto is that of training where the device computes it natively, else fp32.
        backend: onnxruntime is faster for a cascade that answers one text at a time on a CPU; an extra.
    """
    from cascadebert.inference.asking import read_texts
    from cascadebert.inference.bench import bench_table

    loaded = _load(system, revision, device, precision, backend)
    given = read_texts(loaded, texts, columns, rows) if texts else None
    print(bench_table(loaded, given, speed_ups, batch_sizes, rows, repeats))


def _load(system: str, revision: str | None, device: Device, precision: Precision, backend: Backend) -> Any:
    """A system; its type is not named here, where torch is not loaded."""
    from cascadebert.inference.adaptive import Adaptive

    return Adaptive.from_pretrained(system, revision=revision, device=device, precision=precision, backend=backend)


def main() -> int:
    """Run the command.

    Returns:
        0; 1 for a mistake, told in one sentence, or a run that was interrupted; 2 for a wrong command line.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as files are written: a class may have any name
    commands: dict[str, Callable[..., Any]] = {"predict": predict, "info": info, "bench": bench}
    try:
        tyro.extras.subcommand_cli_from_dict(commands, prog="cascadebert", description=__doc__)
    except Problem as problem:
        print(f"cascadebert: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cascadebert: interrupted; what is written is whole rows.", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read the answers has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that nothing is flushed into it at exit
        return 1
    except OSError as error:  # a folder in place of a file, a full disk
        print(f"cascadebert: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
