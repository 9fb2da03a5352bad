"""One training, as its recipe says (sections 3 and 4.2, Appendix A): every member, baseline, student and control."""

import time
from pathlib import Path

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.files import write_json
from cascadebert.metrics.predictions import write_predictions
from cascadebert.models.members import save_trained
from cascadebert.recipe import from_json
from cascadebert.training.assembly import Given, training_of
from cascadebert.training.loop import fit, start
from cascadebert.training.resume import ResumePoint
from cascadebert.training.runs import predictions_of, record_of

Files = tuple[Path, ...]


def main(
    recipe: str,
    encoded: Path,
    weights: Path,
    metric: str,
    full_layers: int,
    seed: int,
    threads: int,
    code: str,
    model: Path,
    record: Path,
    answers: Path,
    stage1: Files = (),
    predecessor: Files = (),
    teacher: Files = (),
    difficulty: Files = (),
    margin: Files = (),
    checkpoint_minutes: float = 10.0,
    workers: int = 0,
) -> None:
    """Train, and answer the selection split, which alone of the evaluated text a training depends on.

    Args:
        recipe: as JSON (cascadebert/recipe.py).
        encoded: token ids of the task's train and selection split.
        weights: model.safetensors of the pre-trained checkpoint, config.json beside it.
        metric: the task's, accuracy or f1; decides which epoch is best.
        full_layers: layers of the base, the numerator of every speed-up.
        seed: of initialisation, dropout and the order of rows.
        threads: of this process.
        code: digest of the code that runs, for the record.
        model: where the trained tensors go, .safetensors.
        record: where the record of the training goes, .json.
        answers: where the logits of the selection split go, .npz.
        stage1: trained tensors of the recipe's first stage; like all that follow, one file or none.
        predecessor: trained tensors of what is replaced (BERT-of-Theseus).
        teacher: of predict_teacher.py.
        difficulty: labels.csv of label_difficulty.py.
        margin: of select_margin.py, where the recipe has no margin of its own.
        checkpoint_minutes: between two writings of what a killed training goes on from, beside the model.
        workers: processes that make batches; 0 makes them in this one.
    """
    began = time.perf_counter()
    device, task = start(seed, threads), read_encoded(encoded)
    beside = {"stage1": stage1, "predecessor": predecessor, "teacher": teacher, "difficulty": difficulty}
    files = {name: paths[0] for name, paths in (beside | {"margin": margin}).items() if paths}
    given = Given(from_json(recipe), task, weights, seed, files)
    training, resume = training_of(given), ResumePoint(model.with_suffix(".resume"), checkpoint_minutes)
    history = fit(
        training.model.to(device),
        task,
        task.rows("train"),
        training.objective,
        given.recipe.settings,
        seed,
        metric,
        training.extras,
        training.draws,
        resume,
        workers,
    )
    seconds, kept = time.perf_counter() - began, training.kept(training.model)
    save_trained(kept, model)
    selection = predictions_of(kept, task, task.rows("selection"), full_layers, given.recipe.settings.precision)
    write_predictions(answers, {seed: selection})
    write_json(record, record_of(given, kept, history, seconds, threads, code))
    resume.remove()


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
