"""A small complete member where none can be downloaded: layers of the base, distilled from it without labels.

By its sentence vectors, or as DistilBERT was, by masked language modelling (Table 3).
"""

import sys
from importlib import import_module
from pathlib import Path

import tyro

from cascadebert.models.checkpoints import checkpoint_of, write_checkpoint
from cascadebert.models.encoders import origin_of
from cascadebert.recipe import pretraining_from_json
from cascadebert.training.distillation import corpus_of
from cascadebert.training.loop import start
from cascadebert.training.resume import ResumePoint


def main(
    recipe: str,
    weights: Path,
    corpus: str,
    held_out: list[Path],
    seed: int,
    threads: int,
    code: str,
    out: Path,
    archive: Path | None = None,
    checkpoint_minutes: float = 10.0,
) -> None:
    """Distil a checkpoint into some of its layers.

    Args:
        recipe: as JSON (cascadebert/recipe.py, Pretraining).
        weights: model.safetensors of the base.
        corpus: the config's entry under data whose text is used, as JSON.
        held_out: .jsonl of prepare_task.py whose selection, report and mismatched texts are left out.
        seed: of dropout, masks, the choice and the order of texts.
        threads: of this process.
        code: digest of the code that runs.
        out: model.safetensors; config.json and tokenizer.json go beside it.
        archive: the package's file, or what fetch_dataset.py made, where the corpus is of a package or of the hub.
        checkpoint_minutes: between two writings of what a killed training goes on from, beside the tensors.
    """
    device, tokenizer, plan = (
        start(seed, threads),
        weights.with_name("tokenizer.json"),
        pretraining_from_json(recipe),
    )
    data = corpus_of(corpus, archive, held_out, plan.rows, tokenizer, plan.max_length, seed)
    resume = ResumePoint(out.with_suffix(".resume"), checkpoint_minutes, (*sys.argv, data.digest()))
    how = import_module(f"cascadebert.training.{'masked' if plan.masked else 'distillation'}")
    student = how.pretrain(plan, weights, data, seed, device, resume)
    origin = {"distilled": origin_of(weights), "layers": plan.layers, "corpus": data.origin}
    write_checkpoint(out.parent, *checkpoint_of(student.cpu()), tokenizer.read_bytes(), origin)
    resume.remove()


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
