"""FastBERT's first stage: the whole encoder and the teacher, an attention classifier after the last layer (Table 7)."""

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.fastbert import build_fastbert_teacher
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import cross_entropy, on_logits
from cascadebert.training.runs import Run


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings) -> None:
    """Fine-tune by cross-entropy."""
    device, task = run.start(), read_encoded(run.encoded)
    model = build_fastbert_teacher(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(model, task, on_logits(cross_entropy), settings)
    run.finish(model, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
