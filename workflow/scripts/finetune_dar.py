"""A member of the cascade fine-tuned with difficulty-aware regularization (section 3.2, Eq. 5 and 6)."""

from pathlib import Path
from typing import Literal

import torch
import tyro
from torch import Tensor

from cascadebert.difficulty import read_difficult
from cascadebert.encoding import read_encoded
from cascadebert.members import Batch, build_member
from cascadebert.objectives import cross_entropy, dar
from cascadebert.runs import Run
from cascadebert.training import Settings, fit, stream


def main(
    run: tyro.conf.OmitArgPrefixes[Run],
    settings: Settings,
    difficulty: Path,
    dar_weight: float,
    margin: float,
    pairs: Literal["sampled", "all"] = "sampled",
) -> None:
    """Fine-tune by cross-entropy plus the margin objective on the confidences of easy and difficult instances.

    Args:
        run: inputs and outputs.
        settings: optimisation.
        difficulty: labels.csv of label_difficulty.py.
        dar_weight: lambda.
        margin: epsilon.
        pairs: one partner drawn for each easy instance, or every pair of a batch.
    """
    device, task = run.start(), read_encoded(run.encoded)
    difficult = read_difficult(difficulty, task.id)
    draws = torch.Generator().manual_seed(int(stream(run.seed, "dar").integers(2**31)))

    def objective(logits: Tensor, batch: Batch) -> Tensor:
        regularizer = dar(logits, batch["difficult"], margin, draws, pairs)
        return cross_entropy(logits, batch) + dar_weight * regularizer

    member = build_member(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = fit(
        member, task, task.rows("train"), objective, settings, run.seed, run.metric, extras={"difficult": difficult}
    )
    run.finish(member, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
