"""A small complete member where none can be downloaded: layers of the base, distilled from it without labels."""

from pathlib import Path

import tyro

from cascadebert.layouts import Pooling
from cascadebert.models.checkpoints import checkpoint_of, depth_of, write_checkpoint
from cascadebert.models.members import load_encoder, origin_of
from cascadebert.training.distillation import SentenceEncoder, corpus_of, distance, sentence_vectors, some_layers
from cascadebert.training.loop import Settings, fit, start
from cascadebert.training.objectives import on_logits
from cascadebert.training.resume import ResumePoint


def main(
    weights: Path,
    layers: list[int],
    corpus: str,
    held_out: list[Path],
    max_rows: int,
    max_length: int,
    settings: Settings,
    seed: int,
    threads: int,
    code: str,
    out: Path,
    archive: Path | None = None,
    pooling: Pooling | None = None,
    checkpoint_minutes: float = 10.0,
) -> None:
    """Distil the base's sentence vectors into some of its layers.

    Args:
        weights: model.safetensors of the base.
        layers: of the base that initialise the member, from 1, ascending.
        corpus: the config's entry under data whose text is used, as JSON.
        held_out: examples.jsonl of tasks whose selection, report and mismatched texts are left out.
        max_rows: texts that are used at most.
        max_length: tokens in a text.
        settings: optimisation.
        seed: of dropout, the choice and the order of texts.
        threads: of this process.
        code: digest of the code that runs.
        out: model.safetensors; config.json and tokenizer.json go beside it.
        archive: the package's file, or what fetch_dataset.py made, where the corpus is of a package or of the hub.
        pooling: how its sentences are read; by default as the base's are.
        checkpoint_minutes: between two writings of what a killed training goes on from, beside the tensors.
    """
    device, tokenizer = start(seed, threads), weights.with_name("tokenizer.json")
    data = corpus_of(corpus, archive, held_out, max_rows, tokenizer, max_length, seed)
    resume = ResumePoint(out.with_suffix(".resume"), checkpoint_minutes)
    depth = depth_of(weights)
    target = sentence_vectors(load_encoder(weights, depth).to(device), data)
    student = SentenceEncoder(some_layers(weights, depth, layers, pooling)).to(device)
    rows, extras = data.rows("train"), {"target": target}
    fit(student, data, rows, on_logits(distance), settings, seed, extras=extras, resume=resume)
    origin = {"distilled": origin_of(weights), "layers": layers, "corpus": data.origin}
    write_checkpoint(out.parent, *checkpoint_of(student.encoder.cpu()), tokenizer.read_bytes(), origin)
    resume.remove()


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
