"""Representations at the small member's depth, in DeeBERT's backbone and in the member (Figure 4)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor

from cascadebert.data.encoding import Encoded, read_encoded
from cascadebert.files import atomic
from cascadebert.models.building import build_model
from cascadebert.models.encoders import sentence_states
from cascadebert.models.members import MultiExit, load_trained
from cascadebert.recipe import from_json
from cascadebert.training.loop import device_of, start, to_batch


@torch.inference_mode()
def states(
    model: MultiExit, layer: int, classify: Callable[[Tensor], Tensor], data: Encoded
) -> tuple[np.ndarray, np.ndarray]:
    """The sentence's state after a layer, and what a classifier answers to it, for the report split."""
    rows, after, answers = data.rows("report"), [], []
    for i in range(0, len(rows), 64):
        state = sentence_states(model.encoder, to_batch(data, rows[i : i + 64], device_of(model)))[layer - 1]
        after.append(state.float().cpu().numpy())
        answers.append(classify(state).argmax(dim=-1).cpu().numpy())
    return np.concatenate(after), np.concatenate(answers)


def main(
    recipes: tuple[str, str],
    encoded: tuple[Path, Path],
    weights: tuple[Path, Path],
    models: tuple[Path, Path],
    stage1: Path,
    threads: int,
    out: Path,
) -> None:
    """Write the sentence's state after the member's depth and what the classifier there answers, for the report split.

    Args:
        recipes: of DeeBERT and of the member, as JSON (cascadebert/recipe.py).
        encoded: the task's token ids, of both.
        weights: model.safetensors of both checkpoints.
        models: trained tensors of both.
        stage1: the fine-tuned base's trained tensors.
        threads: of this process.
        out: .npz with deebert, member (n, hidden), deebert_answers, member_answers, label (n,), names, layer.
    """
    device = start(0, threads)
    (base_run, member_run), (task, member_task) = map(from_json, recipes), map(read_encoded, encoded)
    deebert = build_model(base_run, weights[0], len(task.names), stage1)
    member = build_model(member_run, weights[1], len(task.names))
    for model, path in zip((deebert, member), models, strict=True):
        load_trained(model, path)
        model.to(device).eval()
    depth = member_run.layers
    content = {"label": task.label[task.rows("report")], "names": task.names, "layer": depth}
    for name, states_and_answers in (
        ("deebert", states(deebert, depth, deebert.highways[depth - 1], task)),
        ("member", states(member, depth, member.classify, member_task)),
    ):
        content |= {name: states_and_answers[0], f"{name}_answers": states_and_answers[1]}
    with atomic(out) as temporary, temporary.open("wb") as file:
        np.savez(file, **content)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
