"""Every training that a config asks for, as a recipe by the name of its run."""

from dataclasses import replace
from typing import Any

from cascadebert.config.keys import Config
from cascadebert.config.methods import BertPd, BertPkd, Kd, Origins, Schedule
from cascadebert.config.sources import WeightsSource
from cascadebert.recipe import (
    Distillation,
    Masked,
    Patience,
    Pretraining,
    Recipe,
    Regularization,
    Replacement,
    Settings,
    needed,
)

SHARED = ("batch_size", "weight_decay", "warmup", "clip_norm", "precision", "freeze_embeddings", "keep")
"""Keys of the section training that decide how weights change; the others belong to token ids, or change no result."""


def full_layers(config: Config) -> int:
    """Layers of the base, the numerator of every speed-up."""
    return config.members[config.cascade[-1]].layers


def depths(config: Config) -> list[int]:
    """Depths k of BERT-kL: those with a target speed-up, and those of the complete members that it is set against."""
    full = full_layers(config)
    whole = {int(full / target) for target in config.speed_ups if (full / target).is_integer()}
    complete = {config.members[name].layers for name in config.complete or []}
    return sorted(whole | complete - {full}, reverse=True)


def settings(config: Config, schedule: Schedule | WeightsSource, **changes: object) -> Settings:
    """How something is trained: what all trainings share, its own epochs and learning rate, and changes."""
    shared = {key: getattr(config.training, key) for key in SHARED}
    return Settings(**{**shared, "epochs": schedule.epochs, "lr": schedule.lr, **changes})


def recipes(config: Config) -> dict[str, Recipe]:
    """Every training by the name of its run, a folder of results.

    Names are made here and read nowhere: what a run is, is asked of its recipe.
    """
    base = config.cascade[-1]
    by_name = {name: finetuned(config, name) for name in config.members}
    by_name |= _first_layers(config, base, depths(config)) | _early_exit(config, base)
    if config.fastbert and config.fastbert_teacher:
        by_name |= _fastbert(config, base)
    if config.fastbert_origins:
        by_name |= _origins(config, base, config.fastbert_origins)
    if config.as_released:
        deep = {"model": "models.as_released.build_as_released", "layers": full_layers(config)}
        small = config.cascade[0]
        by_name[f"{small}_as_released"] = _variant(config, small, config.as_released, "as_released", **deep)
    if config.bert_pkd:
        by_name[f"pkd_{base}"] = _student(
            config, config.bert_pkd, "pkd", teacher=base, patience=_patience(config.bert_pkd)
        )
    if config.theseus:
        modules = Replacement(base, full_layers(config), config.theseus.base_rate, config.theseus.full_at)
        by_name[f"theseus_{base}"] = _student(config, config.theseus, "theseus", replacement=modules)
    if config.bert_pd:
        by_name[f"{config.bert_pd.member}_pd"] = _distilled(config, base, config.bert_pd)
    for name in config.cascade[:-1]:
        by_name |= _regularized(config, name)
    others = [*(config.larger_cascade or [])[:-1], *(config.roberta_cascade or [])[:-1]]
    for name in (name for name in others if name not in config.cascade):
        by_name[f"{name}_dar"] = _dar(config, name, None, "finetune_dar_selected")
    if config.roberta_cascade:
        small, roberta = config.roberta_cascade
        if config.student_layers:
            by_name |= _first_layers(config, roberta, [config.student_layers])
        by_name |= _early_exit(config, roberta)
        both = replace(_dar(config, small, None, "finetune_kd_dar"), teacher=roberta, kd=_kd(config.kd))
        by_name[f"{small}_kd_dar"] = both
    return by_name


def finetuned(config: Config, name: str, **changes: Any) -> Recipe:
    """A member, fine-tuned by cross-entropy."""
    member = config.members[name]
    return _of(config, name, member.layers, member, step="finetune", **changes)


def fold_recipe(config: Config, name: str) -> Recipe:
    """A member as it is trained for difficulty labels: it is never scored on the way."""
    recipe = finetuned(config, name)
    return replace(recipe, settings=replace(recipe.settings, keep="last"))


def at_margins(config: Config, name: str) -> list[str]:
    """Runs of a regularized member at each margin of the grid."""
    return [f"{name}_dar{margin}" for margin in config.dar.margins]


def pretraining(config: Config, name: str) -> Pretraining:
    """How a checkpoint is distilled from another, its embeddings left as they are."""
    source = config.weights[name].source
    changes = {"batch_size": source.batch_size, "warmup": 0.05, "freeze_embeddings": True, "keep": "last"}
    masked = Masked(source.masked.head_epochs, source.masked.kl_tokens) if source.masked else None
    made = settings(config, source, **changes)
    return Pretraining(
        base=needed(source.distilled),
        layers=needed(source.layers),
        corpus=needed(source.corpus),
        held_out=needed(source.held_out),
        rows=needed(source.rows),
        max_length=config.training.max_length,
        settings=made,
        masked=masked,
        pooling=config.weights[name].pooling,
    )


def _of(config: Config, name: str, layers: int, schedule: Schedule, **more: Any) -> Recipe:
    """A recipe on a member's checkpoint."""
    weights = config.members[name].weights
    source = config.weights[weights].source
    tokenizer = source.distilled or source.like or weights  # of its teacher, or of the checkpoint that it is like
    return Recipe(name, weights, tokenizer, layers, settings(config, schedule), **more)


def _first_layers(config: Config, name: str, layers: list[int]) -> dict[str, Recipe]:
    """BERT-kL and RoBERTa-kL: the first k layers of a base (section 4.2)."""
    return {f"{name}_first{k}": _of(config, name, k, config.bert_kl, step="finetune_first_layers") for k in layers}


def _early_exit(config: Config, base: str) -> dict[str, Recipe]:
    """DeeBERT, whose first stage is the fine-tuned base, and PABEE (section 4.2)."""
    deebert = {"objective": "deebert", "model": "models.deebert.build_deebert", "stage1": base, "step": "train_deebert"}
    pabee = {"objective": "pabee", "model": "models.pabee.build_pabee", "step": "train_pabee"}
    return {
        f"deebert_{base}": _of(config, base, full_layers(config), config.deebert, **deebert),
        f"pabee_{base}": _of(config, base, full_layers(config), config.pabee, **pabee),
    }


def _fastbert(config: Config, base: str) -> dict[str, Recipe]:
    """FastBERT's two stages (Appendix A)."""
    layers, teacher = full_layers(config), f"fastbert_teacher_{base}"
    first = {"model": "models.fastbert.build_fastbert_teacher", "step": "train_fastbert_teacher"}
    second = {
        "objective": "fastbert",
        "model": "models.fastbert.build_fastbert",
        "stage1": teacher,
        "step": "train_fastbert",
    }
    return {
        teacher: _of(config, base, layers, needed(config.fastbert_teacher), **first),
        f"fastbert_{base}": _of(config, base, layers, needed(config.fastbert), **second),
    }


def _origins(config: Config, base: str, schedules: Origins) -> dict[str, Recipe]:
    """FastBERT taken apart: its training with DeeBERT's off-ramps, its classifiers on labels, both in a cascade."""
    deebert = {"objective": "fastbert", "model": "models.deebert.build_deebert", "stage1": base}
    fastbert = {
        "objective": "deebert",
        "model": "models.fastbert.build_fastbert",
        "stage1": f"fastbert_teacher_{base}",
    }
    layers, attending = full_layers(config), {"model": "models.fastbert.build_fastbert_teacher"}
    return {
        f"deebert_distilled_{base}": _of(
            config, base, layers, schedules.deebert_distilled, **deebert, step="train_deebert_distilled"
        ),
        f"fastbert_labelled_{base}": _of(
            config, base, layers, schedules.fastbert_labelled, **fastbert, step="train_fastbert_labelled"
        ),
        **{
            f"{name}_attending": _variant(config, name, schedules.cascade, "attending", **attending)
            for name in config.cascade[:-1]
        },
    }


def _variant(config: Config, name: str, schedule: Schedule, step: str, **changes: Any) -> Recipe:
    """A regularized member at the selected margin, built otherwise and with a recipe of its own."""
    made = {"settings": settings(config, schedule), **changes}
    return replace(_dar(config, name, None, f"finetune_{step}"), **made)


def _student(config: Config, schedule: Schedule, name: str, **more: Any) -> Recipe:
    """A static student that is made of the base's layers: BERT-PKD and BERT-of-Theseus (section 4.2)."""
    base, layers = config.cascade[-1], needed(config.student_layers)
    return _of(config, base, layers, schedule, objective=name, step=f"train_{name}", **more)


def _distilled(config: Config, base: str, schedule: BertPd) -> Recipe:
    """BERT-PD: a complete member learns the base's soft labels (section 4.2)."""
    more = {"objective": "kd", "teacher": base, "kd": _kd(schedule), "step": "finetune_pd"}
    return _of(config, schedule.member, config.members[schedule.member].layers, schedule, **more)


def _regularized(config: Config, name: str) -> dict[str, Recipe]:
    """A member of the cascade at each margin, at the selected one, and under the controls of Table 4."""
    at = zip(at_margins(config, name), config.dar.margins, strict=True)
    by_name = {run: _dar(config, name, margin, "finetune_dar") for run, margin in at}
    by_name[f"{name}_dar"] = _dar(config, name, None, "adopt_margin")
    by_name[f"{name}_shuffled"] = replace(_dar(config, name, None, "finetune_shuffled"), difficulty="shuffled")
    means = _dar(config, name, None, "finetune_batch_mean")
    without_pairs = Regularization(config.dar.weight, None)
    by_name[f"{name}_batch_mean"] = replace(means, objective="batch_mean", difficulty=None, dar=without_pairs)
    return by_name


def _dar(config: Config, name: str, margin: float | None, step: str) -> Recipe:
    """A member with difficulty-aware regularization (Eq. 5, 6)."""
    dar = Regularization(config.dar.weight, margin, config.dar.pairs)
    return replace(finetuned(config, name), objective="dar", difficulty="labels", dar=dar, step=step)


def _kd(section: Kd | BertPd) -> Distillation:
    return Distillation(section.alpha, section.temperature)


def _patience(section: BertPkd) -> Patience:
    return Patience(section.alpha, section.beta, section.temperature, section.normalize)
