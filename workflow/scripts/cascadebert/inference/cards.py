"""The model card of a packed system: what it is, what it gives at which speed, what it was made of, what it cannot."""

from tabulate import tabulate

from cascadebert.inference.folder import Agreement, Manifest, SpeedUp

SPLITS = {"selection": "where thresholds were chosen", "report": "report split", "mismatched": "mismatched half"}


def card(manifest: Manifest) -> str:
    """README.md of the folder, with the header that the model hub reads."""
    task, last = manifest.task, manifest.members[-1]
    from huggingface_hub import ModelCardData  # half a second, which a summary does without

    header = ModelCardData(
        library_name="cascadebert",
        pipeline_tag="text-classification",
        tags=["cascadebert", "early-exit", "text-classification"],
        license="other",
    ).to_yaml()
    kind = "a cascade of complete models" if manifest.kind == "cascade" else "one model"
    door = "Cascade" if manifest.kind == "cascade" else "EarlyExit"
    texts = "pairs of texts" if task.pairs else "texts"
    example = '[("first text", "second text")]' if task.pairs else '["a text", "another"]'
    asked = f", speed_up={manifest.default_speed_up:g}" if manifest.exits != "last" else ""
    return f"""---
{header}
---
# {manifest.label} on {task.name}

It is {kind}, and says of {texts} which of {len(task.classes)} classes they are of: {", ".join(task.classes)}.
{_how(manifest)}

The package is that of the repository that made this folder: `pip install` its address, or a copy of it.

```python
from cascadebert import {door}

system = {door}.from_pretrained("this folder")
system.predict({example}{asked})
```

## Members

{_members(manifest)}

{_read(manifest)}

## What it gives

{trade_off(manifest)}

The score is {task.metric}, in per cent, with Wilson's 95 % interval over instances where it is an accuracy. The
speed-up is counted in layers: those of the base ({manifest.full_layers}) over those executed; `cascadebert bench` times
it on your machine. Thresholds were chosen on the selection split without labels; its scores also chose the epoch, so
trust those of the report split.

{agreements(manifest)}

## What it was made of

One model seed ({manifest.origin["seed"]}) of a pipeline that trains several; its tables say how much seeds differ.
Text: {_origin(manifest.origin["data"])}.
Checkpoint of the largest model: {_origin(manifest.origin["weights"][last.name])}.
How each model was trained stands in cascade.json under `origin`. The licence is that of the text and the checkpoints.

## Limits

It knows the text that it was trained on; on other text its confidence, and with it the trade-off above, means less
(compare the mismatched half, where there is one). It reads at most {manifest.max_length} tokens of a text. An instance
that an early exit gets wrong with confidence stays wrong, whatever a later one would have said.
"""


def summary(manifest: Manifest) -> str:
    """The same for a terminal."""
    task, files = manifest.task, len(manifest.files)
    lines = [
        f"{manifest.label} on {task.name}: {', '.join(task.classes)} ({'pairs of texts' if task.pairs else 'texts'})",
        _how(manifest),
        _members(manifest, "simple"),
        trade_off(manifest, "simple"),
        agreements(manifest, "simple"),
        f"{files} files, all as cascade.json says; trained in {manifest.precision}, seed {manifest.origin['seed']}.",
    ]
    return "\n\n".join(filter(None, lines))


def _how(manifest: Manifest) -> str:
    """How an instance leaves, in a sentence."""
    if manifest.exits == "last":
        return "Every text passes through the whole of it."
    rule = {
        "confidence": "is confident, its largest probability above a threshold",
        "entropy": "is certain, the entropy of its probabilities below a threshold",
        "uncertainty": "is certain, the entropy of its probabilities below a share of its largest value",
        "patience": "has given the same answer a number of times in succession",
    }[manifest.exits]
    what = "member" if manifest.kind == "cascade" else "layer"
    return f"A text leaves at the first {what} that {rule}, and is computed no further."


def _members(manifest: Manifest, form: str = "github") -> str:
    """Models as a table."""
    rows = [[m.name, m.layers, f"{m.parameters / 1e6:.1f}", m.pooling] for m in manifest.members]
    return tabulate(rows, ["member", "layers", "parameters (M)", "pooling"], tablefmt=form)


def _read(manifest: Manifest) -> str:
    """What else loads its members."""
    if all(m.pooling == "cls" and m.architecture == "members.Member" for m in manifest.members):
        return "`AutoModelForSequenceClassification.from_pretrained` loads each folder under `members/` by itself."
    return (
        "`AutoModel.from_pretrained` loads the encoder in each folder under `members/`; where no class of transformers"
        " has its classifier, that lies beside it as `head.safetensors`."
    )


def trade_off(manifest: Manifest, form: str = "github") -> str:
    """What each target speed-up gave, a row each."""
    splits = [
        split for split in SPLITS if any(o.split == split for point in manifest.speed_ups for o in point.outcomes)
    ]
    rows = [[f"{point.target:g}x", _number(point.threshold), *_cells(point, splits)] for point in manifest.speed_ups]
    heads = [head for split in splits for head in ("speed-up", f"{manifest.task.metric}, {SPLITS[split]}")]
    return tabulate(rows, ["target", "threshold", *heads], tablefmt=form, disable_numparse=True)


def _cells(point: SpeedUp, splits: list[str]) -> list[str]:
    """Achieved speed-up and score on each split."""
    by_split = {outcome.split: outcome for outcome in point.outcomes}
    cells: list[str] = []
    for outcome in (by_split.get(split) for split in splits):
        if outcome is None or outcome.score is None:
            cells += ["-", "-"]
            continue
        interval = (
            ""
            if outcome.low is None or outcome.high is None
            else f" [{100 * outcome.low:.1f}, {100 * outcome.high:.1f}]"
        )
        cells += [f"{outcome.speed_up:.2f}x", f"{100 * outcome.score:.1f}{interval}"]
    return cells


def agreements(manifest: Manifest, form: str = "github") -> str:
    """The fastest setting at each level of agreement, a row each; nothing for a system that always answers whole."""
    if not manifest.agreements:
        return ""
    rows = [_agreement(entry) for entry in manifest.agreements]
    table = tabulate(
        rows, ["of the base's answers kept", "threshold", "speed-up"], tablefmt=form, disable_numparse=True
    )
    slow = any(entry.speed_up is not None and entry.speed_up < 1 for entry in manifest.agreements)
    note = "\n\nBelow 1x the last member alone is faster, and keeps every answer of its own." if slow else ""
    return f"With 95 % confidence (Clopper and Pearson's bound on the selection split):\n\n{table}{note}"


def _agreement(entry: Agreement) -> list[str]:
    """One level."""
    if entry.speed_up is None:
        return [f"{100 * entry.level:g} %", "-", "cannot be shown"]
    return [f"{100 * entry.level:g} %", _number(entry.threshold), f"{entry.speed_up:.2f}x"]


def _number(value: float | None) -> str:
    """A threshold."""
    return "-" if value is None else f"{value:.4g}"


def _origin(origin: dict) -> str:
    """Where something is from, in words."""
    return (
        ", ".join(f"{key} {value}" for key, value in origin.items() if isinstance(value, str | int))
        or "see cascade.json"
    )
