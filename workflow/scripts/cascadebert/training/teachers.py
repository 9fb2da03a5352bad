"""A fine-tuned teacher's answers and states, computed once for all its students (section 4.2)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float16, Float32, Int, Shaped

from cascadebert.data.encoding import Encoded
from cascadebert.files import atomic
from cascadebert.models.encoders import sentence_states
from cascadebert.models.half import autocast
from cascadebert.models.members import Member
from cascadebert.training.finite import check_finite
from cascadebert.training.loop import device_of, to_batch


def skip_map(teacher_layers: int, student_layers: int) -> list[int]:
    """Teacher layers, from 1, that teach a student's layers 1..M-1 (PKD-Skip): every L/M-th, halves rounded up.

    For 3 of 12 layers the released script names '9,10' from 0, which is PKD-Last; here the rule holds for every depth.

    Example:
        >>> skip_map(12, 4), skip_map(12, 6), skip_map(2, 1)
        ([3, 6, 9], [2, 4, 6, 8, 10], [])
    """
    return [(2 * j * teacher_layers + student_layers) // (2 * student_layers) for j in range(1, student_layers)]


@torch.inference_mode()
def teacher_outputs(
    member: Member,
    data: Encoded,
    rows: Int[np.ndarray, " n"],
    layers: list[int],
    precision: str,
    batch_size: int = 64,
) -> tuple[Float32[np.ndarray, "n classes"], Float16[np.ndarray, "n layers hidden"]]:
    """Logits, and states of the sentence after some layers, in evaluation mode and in the order of rows.

    Args:
        member: the fine-tuned teacher.
        data: the task.
        rows: indices of the rows to answer.
        layers: after which states are wanted, from 1.
        precision: "fp32", "bf16" or "fp16".
        batch_size: rows at a time.
    """
    member.eval()
    device, hidden = device_of(member), member.encoder.config.hidden_size
    logits = np.zeros((len(rows), len(data.names)), dtype=np.float32)
    states = np.zeros((len(rows), len(layers), hidden), dtype=np.float16)
    place = np.full(len(data.label), -1)
    place[rows] = np.arange(len(rows))
    for batch_rows in data.by_length(rows, batch_size):
        with autocast(device, precision):
            states_of = sentence_states(member.encoder, to_batch(data, batch_rows, device))
            answers = member.classify(states_of[-1])
        logits[place[batch_rows]] = answers.float().cpu().numpy()
        for column, layer in enumerate(layers):
            states[place[batch_rows], column] = states_of[layer - 1].half().cpu().numpy()
    check_finite(logits, len(rows), precision)
    check_finite(states, len(rows), precision)
    return logits, states


def write_teacher(
    path: Path,
    ids: Shaped[np.ndarray, " n"],
    logits: Float32[np.ndarray, "n classes"],
    states: Float16[np.ndarray, "n layers hidden"],
    layers: list[int],
) -> None:
    """Write one .npz, an array for each argument."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, ids=ids, logits=logits, states=states, layers=np.array(layers, dtype=np.int64))


def read_teacher(
    path: Path, ids: Shaped[np.ndarray, " n"], arrays: Sequence[str] = ("logits", "states")
) -> dict[str, Float[np.ndarray, "n ..."]]:
    """A teacher's outputs as `fit` takes them: teacher_logits and teacher_states, a row for each of a task's instances.

    Args:
        path: what `write_teacher` wrote.
        ids: of the task's instances; those that the teacher has not answered get zeros, and are not trained on.
        arrays: those that are wanted; states are large, and stay in half precision.
    """
    with np.load(path) as file:
        place = pd.Index(file["ids"]).get_indexer(ids)  # -1 where there is no answer
        outputs = {f"teacher_{name}": file[name] for name in arrays}
    aligned = {}
    for name, array in outputs.items():
        aligned[name] = np.zeros((len(ids), *array.shape[1:]), dtype=array.dtype)
        aligned[name][place >= 0] = array[place[place >= 0]]
    return aligned
