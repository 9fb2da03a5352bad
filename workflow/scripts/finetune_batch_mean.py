"""Control of DAR: a margin between a batch's right and wrong answers, without difficulty labels (COSEE)."""

from pathlib import Path

import tyro
from torch import Tensor

from cascadebert.data.encoding import read_encoded
from cascadebert.metrics.difficulty import margin_of
from cascadebert.models.members import Batch, build_member
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import cross_entropy, dar_batch_mean, on_logits
from cascadebert.training.runs import Run


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings, dar_weight: float, margin: float | Path) -> None:
    """Fine-tune by cross-entropy plus the margin objective on mean confidences.

    Args:
        run: inputs and outputs.
        settings: optimisation.
        dar_weight: lambda.
        margin: epsilon, or the JSON of select_margin.py.
    """
    device, task = run.start(), read_encoded(run.encoded)
    epsilon = margin_of(margin)

    def objective(logits: Tensor, batch: Batch) -> Tensor:
        return cross_entropy(logits, batch) + dar_weight * dar_batch_mean(logits, batch["labels"], epsilon)

    member = build_member(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(member, task, on_logits(objective), settings)
    run.finish(member, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
