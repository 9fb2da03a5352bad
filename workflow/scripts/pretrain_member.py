"""The small complete member where none can be downloaded: one layer of the base, distilled from it without labels."""

import logging
from pathlib import Path

import numpy as np
import tyro

from cascadebert.checkpoints import checkpoint_of, depth_of, write_checkpoint
from cascadebert.distillation import SentenceEncoder, distance, sentence_vectors, single_layer
from cascadebert.encoding import encode
from cascadebert.members import load_encoder
from cascadebert.records import read_examples
from cascadebert.sources import read_texts
from cascadebert.splits import normalised
from cascadebert.training import Settings, fit, start


def main(
    weights: Path,
    layer: int,
    corpus: str,
    held_out: list[Path],
    max_rows: int,
    max_length: int,
    settings: Settings,
    seed: int,
    threads: int,
    out: Path,
    archive: Path | None = None,
) -> None:
    """Distil the base's sentence vectors into one layer.

    Args:
        weights: model.safetensors of the base.
        layer: of the base that initialises the member, from 1.
        corpus: the config's entry under data whose text is used, as JSON.
        held_out: examples.jsonl of tasks whose selection, report and mismatched texts are left out.
        max_rows: sentences that are used at most.
        max_length: word pieces in a sentence.
        settings: optimisation.
        seed: of dropout, the choice and the order of sentences.
        threads: of this process.
        out: model.safetensors; config.json and tokenizer.json go beside it.
        archive: the package's file, where the corpus is of a package.
    """
    device = start(seed, threads)
    texts = read_texts(corpus, archive)
    evaluated = [read_examples(path).query("split in ['selection', 'report', 'mismatched']") for path in held_out]
    texts = texts[~normalised(texts).isin(set().union(*(normalised(frame) for frame in evaluated)))]
    texts = texts.sample(min(max_rows, len(texts)), random_state=np.random.default_rng(seed)).sort_index()
    logging.info("%d sentences", len(texts))
    data = encode(texts.assign(label="", split="train"), [], weights.with_name("tokenizer.json"), max_length)

    depth = depth_of(weights)
    target = sentence_vectors(load_encoder(weights, depth).to(device), data)
    student = SentenceEncoder(single_layer(weights, depth, layer)).to(device)
    fit(student, data, data.rows("train"), distance, settings, seed, extras={"target": target})
    write_checkpoint(
        out.parent, *checkpoint_of(student.encoder.cpu()), weights.with_name("tokenizer.json").read_bytes()
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
