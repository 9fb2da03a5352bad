"""ONNX Runtime against torch for each member of a packed cascade, as float32, as the engine computes, and as int8.

    snakemake --cores 2 -- results/cascades/movies/cascadebert
    python -m venv --system-site-packages ELSEWHERE          # with the project's own python, .venv/bin/python
    ELSEWHERE/bin/pip install --no-deps onnxruntime==1.32.0 onnxscript==0.7.2 onnx-ir==1.1.0 flatbuffers==25.12.19
    PYTHONPATH=.venv/lib/python3.11/site-packages ELSEWHERE/bin/python benchmarks/onnx_runtime.py FOLDER [repeats]

None of these packages is in the lock. Batches of 1 and 32 of the lengths that the folder's selection split has, each
padded to its longest; all ways take turns on all cores, medians are told. The difference is that of the logits to torch
in float32.
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import quantize_dynamic
from tabulate import tabulate
from torch import nn

from cascadebert import Adaptive
from cascadebert.inference.turns import alternating
from cascadebert.models.half import autocast
from cascadebert.models.members import MultiExit

NAMES = ["input_ids", "token_type_ids", "attention_mask"]
ROWS = 128


class Whole(nn.Module):
    """A member as a function of three tensors."""

    def __init__(self, member: MultiExit) -> None:
        """Take the member."""
        super().__init__()
        self.member = member

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Logits of the last exit."""
        return self.member(dict(zip(NAMES, tensors, strict=True)))[-1]


Batches = list[tuple[np.ndarray, ...]]


def sessions(model: Whole, example: tuple[np.ndarray, ...], folder: Path) -> dict[str, onnxruntime.InferenceSession]:
    """A member exported, as it is and with linear layers in int8."""
    path, small = folder / "member.onnx", folder / "int8.onnx"
    axes = {name: {0: "rows", 1: "tokens"} for name in NAMES} | {"logits": {0: "rows"}}
    tensors = tuple(map(torch.from_numpy, example))
    torch.onnx.export(model, tensors, path, input_names=NAMES, output_names=["logits"], dynamic_axes=axes, dynamo=False)
    quantize_dynamic(path, small)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return {
        name: onnxruntime.InferenceSession(str(file), options, ["CPUExecutionProvider"])
        for name, file in (("ONNX Runtime, fp32", path), ("ONNX Runtime, int8", small))
    }


def by_session(session: onnxruntime.InferenceSession, batches: Batches) -> np.ndarray:
    """Logits of all batches."""
    return np.concatenate([session.run(None, dict(zip(NAMES, batch, strict=True)))[0] for batch in batches])


@torch.inference_mode()
def by_torch(model: Whole, precision: str, batches: Batches) -> np.ndarray:
    """The same."""
    with autocast(torch.device("cpu"), precision):
        return np.concatenate([model(*map(torch.from_numpy, batch)).float().numpy() for batch in batches])


def main(folder: str, repeats: int = 7) -> None:
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
                for called, session in sessions(Whole(plain).eval(), batches[0], Path(made)).items():
                    ways[called] = partial(by_session, session, batches)
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
    main(sys.argv[1], *map(int, sys.argv[2:]))
