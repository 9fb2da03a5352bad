"""What the table of the clock is made of: each packed system in a process of its own, in turns with the base."""

import logging
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TextClassificationPipeline
from transformers.utils import logging as transformers_logging

from cascadebert.cluster.precision import native_precision
from cascadebert.data.encoding import Text, TokenRows
from cascadebert.inference.adaptive import Adaptive
from cascadebert.inference.bench import machine_of
from cascadebert.inference.clock import Course, reachable, timed
from cascadebert.inference.turns import alternating
from cascadebert.models.half import HALF

log = logging.getLogger(__name__)

COLUMNS = (
    *("run", "label", "what", "target", "batch_size", "turn", "seconds", "base_seconds", "speed_up", "speed_up_flops"),
    *("p50_ms", "p95_ms", "own_share", "tokenising_ms", "memory_mb", "n", "machine", "precision"),
)
"""Of the frame; what is "tokens" (tokenised beforehand), or "text" (tokenised within the time)."""

PIPELINES = {"pipeline": "Hugging Face pipeline, as it comes", "pipeline_best": "Hugging Face pipeline, at its best"}


@dataclass(frozen=True)
class Asked:
    """What every system of a table is timed on.

    Attributes:
        texts: that are answered.
        speed_ups: ratios in layers, of those systems that can have them.
        batch_sizes: of texts; 1 means one after another.
        repeats: turns.
    """

    texts: Sequence[Text]
    speed_ups: Sequence[float]
    batch_sizes: Sequence[int]
    repeats: int


def timetable(
    folders: Sequence[Path],
    base: Path,
    cascade: Path,
    asked: Asked,
    threads: int,
) -> pd.DataFrame:
    """Times of some systems of one task, a row a system, ratio, batch size and turn.

    Args:
        folders: of packed systems.
        base: the one of them that all are measured against.
        cascade: the one of them that answers texts beside the pipeline of transformers.
        asked: what they are timed on.
        threads: of torch.
    """
    jobs: list[tuple[Any, ...]] = [(of_system, folder, base) for folder in folders]
    jobs.append((of_texts, cascade, base))
    rows: list[dict[str, Any]] = []
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:  # so that the memory of one is not that of another
        for job in jobs:
            rows += pool.apply(_in_process, (threads, *job, asked))
            log.info("%s is timed", job[1].name)
    return pd.DataFrame(rows, columns=[*COLUMNS])


def _in_process(threads: int, work: Any, *given: Any) -> list[dict[str, Any]]:
    """Work of a new process, which torch has not computed in before."""
    torch.set_num_threads(threads)
    return work(*given)


def of_system(folder: Path, base_folder: Path, asked: Asked) -> list[dict[str, Any]]:
    """Times of one system on texts that were tokenised beforehand."""
    texts, repeats = asked.texts, asked.repeats
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    system = Adaptive.from_pretrained(folder)
    settings = {
        f"{ratio:g}": (system, system.setting(speed_up=ratio).threshold) for ratio in reachable(system, asked.speed_ups)
    }
    for _, threshold in settings.values():
        system.left(texts, threshold, max(asked.batch_sizes))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    base = Adaptive.from_pretrained(base_folder)
    encoded = {of: _encoded(of, texts) for of in (system, base)}
    flops, full = _flops(system, encoded[system]), _flops(base, encoded[base])[-1]
    rows = []
    for batch_size in asked.batch_sizes:
        course = Course(len(texts), batch_size, tokens=lambda of, member: encoded[of][member])
        tokenising = alternating({"": partial(_tokenise, system, texts, batch_size)}, repeats, system.engine.device)
        ms = 1000 * float(np.median(tokenising[""])) / len(texts)
        for one in timed(settings, base, course, repeats):
            executed = flops[one.exit, np.arange(len(texts))]
            p50, p95 = 1000 * np.quantile(one.latencies, [0.5, 0.95]) if batch_size == 1 else (np.nan, np.nan)
            said: dict[str, Any] = {"run": system.manifest.run, "label": system.manifest.label, "what": "tokens"}
            said |= {"target": float(one.name), "batch_size": batch_size, "speed_up": one.counted}
            said |= {"speed_up_flops": full.sum() / executed.sum(), "p50_ms": p50, "p95_ms": p95}
            said |= {"own_share": one.overhead, "tokenising_ms": ms, "memory_mb": memory} | _machine(system, texts)
            rows += _turns(said, one.seconds, one.beside)
    return rows


def of_texts(cascade_folder: Path, base_folder: Path, asked: Asked) -> list[dict[str, Any]]:
    """Times of the cascade, the base, and what a user would take in their place, from text to answer.

    The pipeline of transformers answers with the base's encoder and a classifier on [CLS]: the base itself, where it
    is read so; else its answers mean nothing, and it takes as long. At its best it computes in the precision of this
    machine and is given texts in order of length.
    """
    texts, cascade, base = asked.texts, Adaptive.from_pretrained(cascade_folder), Adaptive.from_pretrained(base_folder)
    by_length = sorted(texts, key=lambda text: len(" ".join(text) if isinstance(text, tuple) else text))
    pipelines = {name: _pipeline(base, name == "pipeline_best") for name in PIPELINES}
    ratios, rows = reachable(cascade, asked.speed_ups), []
    for batch_size in asked.batch_sizes:
        runs: dict[str, Any] = {"base": partial(_asked, base, texts, batch_size, None)}
        for ratio in ratios:
            runs[f"{ratio:g}"] = partial(_asked, cascade, texts, batch_size, ratio)
        for name, pipe in pipelines.items():
            runs[name] = partial(_piped, pipe, by_length if name == "pipeline_best" else texts, batch_size)
        seconds = alternating(runs, asked.repeats, base.engine.device)
        labels = {"base": (base.manifest.run, base.manifest.label, 1.0)}
        labels |= {f"{ratio:g}": (cascade.manifest.run, cascade.manifest.label, ratio) for ratio in ratios}
        labels |= {name: (name, label, 1.0) for name, label in PIPELINES.items()}
        for name, (run, label, ratio) in labels.items():
            said = {"run": run, "label": label, "what": "text", "target": ratio, "batch_size": batch_size}
            rows += _turns(said | _machine(base, texts), seconds[name], seconds["base"])
    return rows


def _turns(
    said: dict[str, Any], seconds: Float[np.ndarray, " turns"], base: Float[np.ndarray, " turns"]
) -> list[dict[str, Any]]:
    """A row a turn."""
    pairs = zip(seconds, base, strict=True)
    return [said | {"turn": turn, "seconds": one, "base_seconds": beside} for turn, (one, beside) in enumerate(pairs)]


def _machine(system: Adaptive, texts: Sequence[Text]) -> dict[str, Any]:
    """What it was timed on."""
    return {"n": len(texts), "machine": machine_of(system.engine), "precision": system.engine.precision}


def _encoded(system: Adaptive, texts: Sequence[Text]) -> list[TokenRows]:
    """Token ids of some texts for each member of a system."""
    held = {name: encoder(texts)[0] for name, encoder in system.encoders.items()}
    return [held[member.tokenizer] for member in system.manifest.members]


def _tokenise(system: Adaptive, texts: Sequence[Text], batch_size: int) -> None:
    """All that a system tokenises."""
    for encoder in system.encoders.values():
        for start in range(0, len(texts), batch_size):
            encoder(texts[start : start + batch_size])


def _flops(system: Adaptive, encoded: Sequence[TokenRows]) -> Float[np.ndarray, "exits n"]:
    """Operations of each text when it leaves at each exit; members of a cascade one after another."""
    before, rows = 0.0, []
    for model, tokens in zip(system.engine.models, encoded, strict=True):
        rows.append(before + model.exit_flops(tokens.lengths))
        before = rows[-1][-1]
    return np.concatenate(rows)


def _asked(system: Adaptive, texts: Sequence[Text], batch_size: int, ratio: float | None) -> None:
    """Answers of a system as a user asks for them."""
    if batch_size > 1:
        system.predict(texts, batch_size=batch_size, speed_up=ratio)
    else:
        for text in texts:
            system.predict([text], speed_up=ratio)


def _piped(pipe: Any, texts: Sequence[Text], batch_size: int) -> None:
    """Answers of a pipeline of transformers."""
    given = [{"text": text[0], "text_pair": text[1]} if isinstance(text, tuple) else text for text in texts]
    if batch_size > 1:
        list(pipe(given, batch_size=batch_size))
    else:
        for text in given:
            pipe(text)


def _pipeline(base: Adaptive, best: bool) -> Any:
    """The pipeline of transformers on the base."""
    transformers_logging.set_verbosity_error()  # a classifier is new where the base is not read at [CLS]
    folder = base.folder / base.manifest.members[-1].folder
    fastest = "bf16" if base.engine.device.type == "cuda" else native_precision()
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=HALF.get(fastest, torch.float32) if best else torch.float32, local_files_only=True
    )
    tokenizer = AutoTokenizer.from_pretrained(base.folder / base.manifest.members[-1].tokenizer, local_files_only=True)
    length: dict[str, Any] = {"truncation": True, "max_length": base.manifest.max_length}
    return TextClassificationPipeline(model=model, tokenizer=tokenizer, device=base.engine.device, **length)
