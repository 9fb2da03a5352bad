"""Representations at the small member's depth, in DeeBERT's backbone and in the member (Figure 4)."""

from pathlib import Path

import numpy as np
import torch
import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.files import atomic
from cascadebert.models.deebert import build_deebert
from cascadebert.models.members import build_member, load_trained, sentence_states
from cascadebert.training.loop import device_of, start, to_batch


def main(
    encoded: Path,
    base_weights: Path,
    base_layers: int,
    stage1: Path,
    deebert: Path,
    member_encoded: Path,
    member_weights: Path,
    member_layers: int,
    member: Path,
    freeze_embeddings: bool,
    threads: int,
    out: Path,
) -> None:
    """Write the sentence's state after the member's depth and what the classifier there answers, for the report split.

    Args:
        encoded: the task's token ids for the base.
        base_weights: model.safetensors of the base's checkpoint.
        base_layers: its depth.
        stage1: the fine-tuned base's trained tensors.
        deebert: the off-ramps.
        member_encoded: the task's token ids for the member.
        member_weights: model.safetensors of the member's checkpoint.
        member_layers: its depth, at which both are compared.
        member: the regularized member's trained tensors.
        freeze_embeddings: as in training.
        threads: of this process.
        out: .npz with deebert, member (n, hidden), deebert_answers, member_answers, label (n,), names, layer.
    """
    device = start(0, threads)
    task, own = read_encoded(encoded), read_encoded(member_encoded)
    exits = build_deebert(base_weights, stage1, base_layers, len(task.names), freeze_embeddings)
    load_trained(exits, deebert)
    small = build_member(member_weights, member_layers, len(task.names), freeze_embeddings)
    load_trained(small, member)
    exits, small = exits.to(device).eval(), small.to(device).eval()

    @torch.inference_mode()
    def states(model: torch.nn.Module, encoder: torch.nn.Module, data, classify) -> tuple[np.ndarray, np.ndarray]:
        rows = data.rows("report")
        found, answers = [], []
        for i in range(0, len(rows), 64):
            state = sentence_states(encoder, to_batch(data, rows[i : i + 64], device_of(model)))[member_layers - 1]
            found.append(state.float().cpu().numpy())
            answers.append(classify(state).argmax(dim=-1).cpu().numpy())
        return np.concatenate(found), np.concatenate(answers)

    off_ramp = exits.highways[member_layers - 1]
    of_deebert = states(exits, exits.member.encoder, task, off_ramp)
    of_member = states(small, small.encoder, own, small.classify)
    content = dict(zip(("deebert", "deebert_answers"), of_deebert, strict=True))
    content |= dict(zip(("member", "member_answers"), of_member, strict=True))
    with atomic(out) as temporary, temporary.open("wb") as file:
        np.savez(file, **content, label=task.label[task.rows("report")], names=task.names, layer=member_layers)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
