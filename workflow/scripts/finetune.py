"""A complete member, or the base's first k layers, fine-tuned on one task (sections 3.1 and 4.2, BERT-kL)."""

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.members import build_member
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import cross_entropy, on_logits
from cascadebert.training.runs import Run


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings) -> None:
    """Fine-tune by cross-entropy."""
    device, task = run.start(), read_encoded(run.encoded)
    member = build_member(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(member, task, on_logits(cross_entropy), settings)
    run.finish(member, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
