r"""Our training loop against Hugging Face's Trainer: float32, one core, 1,200 rows, 2 epochs, the default's base.

    snakemake --cores 2 --config 'data={movies: {rows: {train: 1200}}}' 'weights={base: {pooling: cls}}' \
        results=results/trainer -- results/trainer/tasks/movies/base/training.arrow \
        results/trainer/weights/base/model.safetensors
    python -m venv --system-site-packages ELSEWHERE          # with the project's own python, .venv/bin/python
    ELSEWHERE/bin/pip install --no-deps accelerate==1.15.0
    export PYTHONPATH=workflow/scripts:.venv/lib/python3.11/site-packages
    ELSEWHERE/bin/python benchmarks/trainer.py results/trainer [rounds]

accelerate is what the Trainer wants beside transformers; nothing else here needs it, so it is not in the lock. In each
round every way trains once, in turn, on the same rows, embeddings frozen, with the same batches of 32, learning rate,
schedule and clipping; core-seconds of the training alone are told, and their ratio to ours of the same round. The
Trainer's model is BertForSequenceClassification, which reads [CLS]; with `pooling: cls` ours does, too, and its last
layer then works on that token alone. Without it ours reads the mean of all tokens, as the default does.
"""

import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro
import yaml
from transformers import BertForSequenceClassification, Trainer, TrainingArguments
from tyro.conf import Positional

from cascadebert.config import read
from cascadebert.data.encoding import Encoded, read_encoded
from cascadebert.recipes import recipes
from cascadebert.training.assembly import Given, training_of
from cascadebert.training.loop import fit, start

ROOT = Path(__file__).parents[1]
ROWS, EPOCHS, LENGTH = 1200, 2, 128


def core_seconds(action: Callable[[], object]) -> float:
    """What some computing takes of this process's time."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    action()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(given: Given, rows: np.ndarray) -> float:
    """The project's loop."""
    start(1, 1)
    made = training_of(given)
    return core_seconds(lambda: fit(made.model, given.task, rows, made.objective, given.recipe.settings, 1))


def trainers(given: Given, rows: np.ndarray, length: int | None, strategy: str) -> float:
    """The Trainer, rows padded to a length or to the longest of a batch, drawn at random or grouped by length."""
    start(1, 1)
    task, made = given.task, given.recipe.settings
    model = BertForSequenceClassification.from_pretrained(given.weights.parent, num_labels=len(task.names))
    model.bert.embeddings.requires_grad_(False)

    def collate(items: list[dict]) -> dict[str, torch.Tensor]:
        ids, types, mask = padded(task, np.array([item["row"] for item in items]), length)
        labels = torch.tensor([item["labels"] for item in items])
        return {"input_ids": ids, "token_type_ids": types, "attention_mask": mask, "labels": labels}

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=made.epochs,
            per_device_train_batch_size=made.batch_size,
            learning_rate=made.lr,
            train_sampling_strategy=strategy,
            use_cpu=True,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        items = [{"row": row, "labels": task.label[row], "input_ids": range(task.lengths[row])} for row in rows]
        trainer = Trainer(model, arguments, data_collator=collate, train_dataset=items)
        return core_seconds(trainer.train)


def padded(task: Encoded, rows: np.ndarray, length: int | None) -> list[torch.Tensor]:
    """Token ids, segments and mask of a batch, padded to a length, or to the longest of its rows."""
    ids, types, mask = task.padded(rows)
    more = max((length or 0) - ids.shape[1], 0)
    widened = [(ids, task.pad), (types, 0), (mask.astype(np.int64), 0)]
    return [torch.from_numpy(np.pad(array, ((0, 0), (0, more)), constant_values=value)) for array, value in widened]


def main(results: Positional[Path] = Path("results/trainer"), rounds: Positional[int] = 1) -> None:
    """Print the ratios, a line for each way."""
    preset = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    preset["training"] |= {"precision": "fp32", "keep": "last"}
    preset["members"]["base"]["epochs"] = EPOCHS
    recipe = recipes(read(preset | {"results": "results"}))["base"]
    task = read_encoded(results / "tasks/movies/base/training.arrow")
    given, rows = Given(recipe, task, results / "weights/base/model.safetensors", 1), task.rows("train")[:ROWS]
    if len(rows) < ROWS:
        raise SystemExit(f"{results} has {len(rows)} training rows of movies, {ROWS} are wanted: see --help.")
    ways: dict[str, Callable[[], float]] = {
        "ours": lambda: ours(given, rows),
        "Trainer, grouped by length": lambda: trainers(given, rows, None, "group_by_length"),
        "Trainer, padded to the longest of a batch": lambda: trainers(given, rows, None, "random"),
        f"Trainer, padded to {LENGTH}": lambda: trainers(given, rows, LENGTH, "random"),
    }
    taken = pd.DataFrame([{name: train() for name, train in ways.items()} for _ in range(rounds)])
    ratios = taken.div(taken["ours"], axis=0)
    for name in ways:
        each = ", ".join(f"{ratio:.2f}" for ratio in ratios[name])
        print(f"{name}: {taken[name].mean():.0f} core-seconds, {ratios[name].mean():.2f} times ours ({each})")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
