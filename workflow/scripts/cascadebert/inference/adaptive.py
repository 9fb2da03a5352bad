"""Cascades and models with exits as one takes them home: loaded, asked, saved, shared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import torch
from jaxtyping import Bool
from safetensors.numpy import load_file
from scipy.special import softmax

from cascadebert.data.encoding import Text, TextEncoder, TokenRows
from cascadebert.inference import folder as packed
from cascadebert.inference import settings, sharing
from cascadebert.inference.devices import device_of, native_on
from cascadebert.inference.engine import Engine, Left
from cascadebert.inference.inputs import checked, listed
from cascadebert.inference.leaving import Threshold
from cascadebert.inference.models import read_model
from cascadebert.inference.settings import Setting
from cascadebert.layouts import Problem
from cascadebert.metrics.exits import ExitLogits
from cascadebert.recipe import Precision

LOOKAHEAD, MOST = 64, 2**20
"""Batches that are read ahead, so that texts of like length can be put together; the most texts in one."""

S = TypeVar("S", bound="Adaptive")


@dataclass(frozen=True)
class Answer:
    """What a system says of one text.

    Attributes:
        label: name of the class; None where there was no text.
        confidence: its probability.
        probabilities: of all classes, by name.
        member: that answered; of a model with exits, after which layer.
        cut: whether the text was longer than what is read of it.
        strange: whether the vocabulary knows nothing of it, so that the answer says nothing.
    """

    label: str | None
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    member: str | None = None
    cut: bool = False
    strange: bool = False


class Adaptive:
    """A trained system in a folder; `Cascade` and `EarlyExit` answer the same calls."""

    kind: Literal["cascade", "early_exit"]

    def __init__(self, folder: Path, manifest: packed.Manifest, device: torch.device, precision: Precision) -> None:
        """Load what the manifest describes, which has been checked; `from_pretrained` is the door to come in by."""
        self.folder, self.manifest = folder, manifest
        self._settings: dict[tuple, Setting] = {}  # what was asked before, which one text after another asks again
        self._selected = load_file(folder / packed.SELECTION)
        classes = manifest.task.classes
        models = [read_model(folder / member.folder, member, classes) for member in manifest.members]
        self.engine = Engine(models, manifest.exits, device, precision)
        tokenizers = {member.tokenizer for member in manifest.members}
        self.encoders = {
            name: TextEncoder(folder / name / packed.TOKENIZER, manifest.max_length) for name in tokenizers
        }

    @classmethod
    def from_pretrained(
        cls: type[S],
        source: str | Path,
        *,
        revision: str | None = None,
        device: str | torch.device | None = None,
        precision: Precision | Literal["auto"] = "auto",
        backend: Literal["torch", "onnxruntime"] = "torch",
    ) -> S:
        """A system from a folder, or from a repository of the model hub.

        Args:
            source: a folder that holds cascade.json, or OWNER/NAME.
            revision: of the repository: a branch, a tag or a commit.
            device: to compute on; a GPU if there is one.
            precision: to compute in; auto is the one that it was trained in where this device computes it natively,
                else fp32.
            backend: onnxruntime computes the members of a cascade on a CPU in fp32, one text at a time faster than
                torch; it needs the packages onnx and onnxruntime.

        Raises:
            Problem: in one sentence, when there is no such system, or it is not whole, or of another kind.
        """
        folder, root = sharing.located(source, revision)
        with sharing.unchanged(folder):
            manifest = packed.read_manifest(folder, root)
            kind: Any = {"cascade": Cascade, "early_exit": EarlyExit}[manifest.kind]
            if not issubclass(kind, cls):
                raise Problem(f"{source} holds {manifest.label}, load it with {kind.__name__}.")
            if backend not in ("torch", "onnxruntime"):
                raise Problem(f"backend {backend} is not known: take torch or onnxruntime.")
            if backend == "onnxruntime":
                if device not in (None, "cpu") or precision not in ("auto", "fp32"):
                    raise Problem("ONNX Runtime computes on the CPU in fp32 here: leave device and precision out.")
                device, precision = "cpu", "fp32"
            where = device_of(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            chosen = native_on(where, manifest.precision) if precision == "auto" else precision
            if chosen not in get_args(Precision):
                raise Problem(f"precision {chosen} is not known: take one of auto, {', '.join(get_args(Precision))}.")
            system = kind(folder, manifest, where, chosen)
        if backend == "onnxruntime":
            system.engine.by_onnx_runtime()
        return system

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return self.manifest.task.classes

    @cached_property
    def selection(self) -> ExitLogits:
        """What all exits answered to the selection split, on which thresholds are chosen."""
        return ExitLogits(self._selected["logits"], self._selected["layers"], self.manifest.full_layers)

    def setting(
        self,
        speed_up: float | int | None = None,
        agreement: float | int | None = None,
        threshold: Threshold | None = None,
        each: bool = False,
    ) -> Setting:
        """The threshold for what is asked, and what it gave on the selection split; at most one thing can be asked.

        Args:
            speed_up: ratio in layers, any number from 1 to the largest possible.
            agreement: share of the base's answers that is kept, with 95 % confidence: the fastest such setting.
            threshold: the exit rule's own, or one for each exit but the last.
            each: with speed_up, a threshold for each exit of a cascade of three or more members.

        Raises:
            Problem: when two things are asked, or what is asked is no number or cannot be had.
        """
        settings.check_asked(speed_up, agreement, threshold, each)
        once = tuple(np.atleast_1d(threshold).tolist()) if threshold is not None else None
        key = (*(one if one is None else float(one) for one in (speed_up, agreement)), once, each)
        if key not in self._settings:
            self._settings[key] = self._chosen(speed_up, agreement, threshold, each)
        return self._settings[key]

    def _chosen(
        self, speed_up: float | int | None, agreement: float | int | None, threshold: Threshold | None, each: bool
    ) -> Setting:
        """What `setting` is asked for, looked for on the selection split."""
        exits = self.manifest.exits
        if agreement is not None:
            return settings.for_agreement(self.selection, exits, float(agreement))
        if threshold is not None:
            settings.check_threshold(exits, threshold)
            return settings.setting(self.selection, exits, threshold)
        ratio = self.manifest.default_speed_up if speed_up is None else float(speed_up)
        return settings.for_speed_up(self.selection, exits, ratio, each)

    def predict(self, texts: Iterable[Any], **asked: Any) -> list[Answer]:
        """Answers to some texts, in their order.

        Args:
            texts: or, for a task of pairs, pairs of texts. A row without text (None, or nothing that can be seen) gets
                an answer without a label.
            asked: what `stream` takes: speed_up, agreement or threshold; batch_size.

        Raises:
            Problem: for a table, a text of another kind, or what cannot be had.
        """
        return list(self.stream(texts, **asked))

    def stream(
        self,
        texts: Iterable[Any],
        *,
        speed_up: float | int | None = None,
        agreement: float | int | None = None,
        threshold: Threshold | None = None,
        each: bool = False,
        batch_size: int = 32,
        lookahead: int = LOOKAHEAD,
    ) -> Iterator[Answer]:
        """The same, text by text, for as many as there are: memory does not grow with their number.

        Args:
            texts: read as answers are taken.
            speed_up: as of `setting`.
            agreement: as of `setting`.
            threshold: as of `setting`.
            each: as of `setting`.
            batch_size: texts in a batch.
            lookahead: batches that are read before the first of their answers is given.
        """
        if not all(isinstance(count, Integral) and 1 <= count <= MOST for count in (batch_size, lookahead)):
            raise Problem(f"batches of {batch_size}, {lookahead} read ahead, cannot be: take 1 to {MOST} of each.")
        chosen = self.setting(speed_up, agreement, threshold, each).threshold
        return self._answers(listed(texts, self.manifest.task.pairs), chosen, batch_size, lookahead)

    def _answers(self, texts: Iterator[Any], threshold: Threshold, batch_size: int, lookahead: int) -> Iterator[Answer]:
        """Answers of one window of texts after another."""
        start = 1
        while window := list(islice(texts, batch_size * lookahead)):
            rows = [checked(text, number, self.manifest.task) for number, text in enumerate(window, start)]
            yield from self.answer_window(rows, threshold, batch_size)
            start += len(window)

    def answer_window(self, rows: Sequence[Text | None], threshold: Threshold, batch_size: int) -> list[Answer]:
        """Answers to texts that are in memory."""
        there = [index for index, row in enumerate(rows) if row is not None]
        answers = [Answer(None)] * len(rows)
        if not there:
            return answers
        texts = [row for row in rows if row is not None]
        left, cut, strange = self.left(texts, threshold, batch_size)
        probabilities = softmax(left.logits.astype(np.float64), axis=-1)
        for row, exit, given, *flags in zip(there, left.exit, probabilities, cut, strange, strict=True):
            best, by = int(given.argmax()), self.exit_names[exit]
            named = dict(zip(self.classes, given.tolist(), strict=True))
            answers[row] = Answer(self.classes[best], float(given[best]), named, by, *map(bool, flags))
        return answers

    def left(
        self, texts: Sequence[Text], threshold: Threshold, batch_size: int, engine: Engine | None = None
    ) -> tuple[Left, Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """How some texts leave, by another engine of the same models if given; which were cut; which are strange."""
        encoded: dict[str, tuple[TokenRows, np.ndarray]] = {}

        def tokens(member: int) -> TokenRows:
            name = self.manifest.members[member].tokenizer
            if name not in encoded:
                encoded[name] = self.encoders[name](texts)
            return encoded[name][0]

        left = (engine or self.engine).answer(tokens, len(self.classes), threshold, batch_size)
        first = self.manifest.members[0].tokenizer
        return left, np.any([cut for _, cut in encoded.values()], axis=0), self.encoders[first].strange(tokens(0))

    def stand_ins(self, rows: int) -> TokenRows:
        """Rows of the lengths that the first instances of the selection split have; their tokens mean nothing."""
        lengths = self._selected["lengths"][:rows].astype(np.int64)
        words = min(model.encoder.config.vocab_size for model in self.engine.models)
        tokens = np.random.default_rng(0).integers(0, words, int(lengths.sum()))
        return TokenRows(tokens.astype(np.int32), np.zeros(len(tokens), dtype=np.int8), np.cumsum(lengths), 0)

    @property
    def layers(self) -> list[int]:
        """Layers executed when a text leaves at each exit."""
        return self.engine.layers

    @cached_property
    def exit_names(self) -> list[str]:
        """What each exit is called: by its member, or by its layer."""
        if self.kind == "cascade":
            return [member.name for member in self.manifest.members]
        return [f"layer {layers}" for layers in self.layers]

    def save_pretrained(self, folder: str | Path) -> None:
        """Copy the system to a folder that does not exist yet, whole or not at all.

        Raises:
            Problem: when the folder exists or cannot be made.
        """
        sharing.copied(self.folder, self.manifest, Path(folder).expanduser())

    def push_to_hub(self, repository: str, *, private: bool | None = None, token: str | None = None) -> str:
        """Upload the system to a repository of the model hub, which is made if it does not exist.

        Args:
            repository: OWNER/NAME.
            private: whether a new one can be seen by its owner alone; as the owner's settings say if None.
            token: of the hub; that of `hf auth login` if None.

        Returns:
            The commit, for `from_pretrained(repository, revision=...)`.

        Raises:
            Problem: when the hub does not take it.
        """
        return sharing.uploaded(self.folder, self.manifest, repository, private, token)


class Cascade(Adaptive):
    """Several complete models of ascending depth; a text leaves at the first that is confident (Algorithm 1)."""

    kind = "cascade"


class EarlyExit(Adaptive):
    """One model with exits after its layers, or a static one, whose one exit is its last layer."""

    kind = "early_exit"
