"""Whole models computed by ONNX Runtime on a CPU, in float32: for one text at a time faster than torch.

`benchmarks/onnx_runtime.py` measures it, docs/cascade.md has the figures. onnx and onnxruntime are an extra of this
package.
"""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from cascadebert.layouts import Problem
from cascadebert.models.members import MultiExit

NAMES = ("input_ids", "token_type_ids", "attention_mask")


class Whole(nn.Module):
    """A model as a function of three tensors, as ONNX wants it."""

    def __init__(self, model: MultiExit) -> None:
        """Take the model."""
        super().__init__()
        self.model = model

    def forward(self, *tensors: Tensor) -> Float[Tensor, "b classes"]:
        """Logits of the last exit."""
        return self.model(dict(zip(NAMES, tensors, strict=True)))[-1]


def export(model: MultiExit, path: Path) -> None:
    """Write a model as ONNX, for any number of rows and tokens."""
    axes = {name: {0: "rows", 1: "tokens"} for name in NAMES} | {"logits": {0: "rows"}}
    example = tuple(torch.ones((2, 8), dtype=torch.int64) for _ in NAMES)
    names: dict[str, Any] = {"input_names": list(NAMES), "output_names": ["logits"], "dynamic_axes": axes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no other package is called deprecated
        torch.onnx.export(Whole(model).eval(), example, str(path), dynamo=False, **names)


class Session:
    """A model in ONNX Runtime, with as many threads as torch has."""

    def __init__(self, path: Path) -> None:
        """Load what `export` wrote."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    def __call__(self, *arrays: Shaped[np.ndarray, "b l"]) -> Float[np.ndarray, "b classes"]:
        """Logits of some rows: token ids, their types, and 1 where there is a token."""
        given = {name: array.astype(np.int64) for name, array in zip(NAMES, arrays, strict=True)}
        return self.session.run(None, given)[0]


def sessions(models: Sequence[MultiExit]) -> list[Session]:
    """Models of a cascade, exported and loaded.

    Raises:
        Problem: when a model has exits within it, or the packages are not installed.
    """
    if any(len(model.exit_layers) > 1 for model in models):
        raise Problem("ONNX Runtime computes whole models, and this system leaves within one: leave the backend out.")
    try:
        import onnx  # noqa: F401 (the exporter imports it)
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise Problem(f"{error.name} is not installed: install onnx and onnxruntime, the extra `fast`.") from None
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{index}.onnx") for index in range(len(models))]
        for model, path in zip(models, paths, strict=True):
            export(model, path)
        return [Session(path) for path in paths]
