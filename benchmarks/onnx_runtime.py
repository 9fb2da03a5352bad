"""ONNX Runtime against torch for each member of a packed cascade, as float32, as the engine computes, and as int8.

    snakemake --cores 2 -- results/cascades/movies/cascadebert
    python benchmarks/onnx_runtime.py results/cascades/movies/cascadebert [repeats]

Batches of 1 and 32 of the lengths that the folder's selection split has, each
padded to its longest; all ways take turns on all cores, medians are told. The difference is that of the logits to torch
in float32.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import tyro
from onnxruntime.quantization import quantize_dynamic
from tabulate import tabulate
from tyro.conf import Positional

from cascadebert import Adaptive
from cascadebert.inference.onnx_runtime import Session, Whole, export
from cascadebert.inference.turns import alternating
from cascadebert.models.half import autocast

ROWS = 128


Batches = list[tuple[np.ndarray, ...]]


def by_session(session: Session, batches: Batches) -> np.ndarray:
    """Logits of all batches."""
    return np.concatenate([session(*batch) for batch in batches])


@torch.inference_mode()
def by_torch(model: Whole, precision: str, batches: Batches) -> np.ndarray:
    """The same."""
    with autocast(torch.device("cpu"), precision):
        return np.concatenate([model(*map(torch.from_numpy, batch)).float().numpy() for batch in batches])


def main(folder: Positional[str], repeats: Positional[int] = 7) -> None:
    """Print a line for each member, batch size and way."""
    system, native = Adaptive.from_pretrained(folder, precision="fp32"), Adaptive.from_pretrained(folder)
    tokens, lines = system.stand_ins(ROWS), []
    for name, plain, half in zip(system.exit_names, system.engine.models, native.engine.models, strict=True):
        for size in (1, 32):
            rows = tokens.by_length(np.arange(len(tokens.ends)), size)
            batches = [tuple(array.astype(np.int64) for array in tokens.padded(row)) for row in rows]
            ways: dict[str, Callable[[], np.ndarray]] = {
                "torch, fp32": partial(by_torch, Whole(plain), "fp32", batches)
            }
            if native.engine.precision != "fp32":
                called = f"torch, {native.engine.precision}"
                ways[called] = partial(by_torch, Whole(half), native.engine.precision, batches)
            with tempfile.TemporaryDirectory() as made:
                path, small = Path(made, "member.onnx"), Path(made, "int8.onnx")
                export(plain, path)
                quantize_dynamic(path, small)
                for called, file in (("ONNX Runtime, fp32", path), ("ONNX Runtime, int8", small)):
                    ways[called] = partial(by_session, Session(file), batches)
                seconds = alternating(ways, repeats, torch.device("cpu"))
                exact = ways["torch, fp32"]()
                far = {called: np.abs(way() - exact).max() for called, way in ways.items()}
            engine = seconds[list(ways)[1 if native.engine.precision != "fp32" else 0]]
            for called, taken in seconds.items():
                ratio = engine / taken
                ms = f"{1000 * np.median(taken) / len(tokens.ends):.2f}"
                times = f"{np.median(ratio):.2f} ({ratio.min():.2f} - {ratio.max():.2f})"
                lines.append([name, size, called, ms, times, f"{far[called]:.2g}"])
    heads = ["member", "batch", "way", "ms a text", "times the engine's speed (min - max)", "largest difference"]
    print(f"{torch.get_num_threads()} threads, onnxruntime {onnxruntime.__version__}, {repeats} turns\n")
    print(tabulate(lines, heads, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
