"""Tokenised tasks: encoded once a tokenizer, batched by length."""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool, Int, Shaped
from tokenizers import Tokenizer

from cascadebert.files import atomic
from cascadebert.layouts import Problem

log = logging.getLogger(__name__)

POOL = 32
"""Batches in a pool: rows are sorted by length inside a pool, so that a batch holds little padding."""

CHUNK = 10_000
"""Rows that are tokenised at a time: what the tokenizer says of a row is a hundred times as large as its ids."""


Text = str | tuple[str, str]
"""A text, or a pair of them."""


@dataclass(frozen=True)
class TokenRows:
    """Texts as token ids, rows one after another.

    Attributes:
        tokens: ids of all rows, special tokens included.
        types: segment of each token, 0 or 1.
        ends: end of each row in `tokens`.
        pad: id of the padding token.
    """

    tokens: Int[np.ndarray, " total"]
    types: Int[np.ndarray, " total"]
    ends: Int[np.ndarray, " n"]
    pad: int

    @cached_property
    def starts(self) -> Int[np.ndarray, " n"]:
        """Start of each row in `tokens`."""
        return np.concatenate([[0], self.ends])[:-1].astype(self.ends.dtype)

    @cached_property
    def lengths(self) -> Int[np.ndarray, " n"]:
        """Tokens in each row."""
        return self.ends - self.starts

    def padded(
        self, rows: Int[np.ndarray, " b"]
    ) -> tuple[Int[np.ndarray, "b l"], Int[np.ndarray, "b l"], Bool[np.ndarray, "b l"]]:
        """Token ids, segments and mask (True = token) of some rows, padded to the longest of them."""
        position = np.arange(self.lengths[rows].max())
        mask = position < self.lengths[rows][:, None]
        where = np.where(mask, self.starts[rows][:, None] + position, 0)
        ids, types = np.where(mask, self.tokens[where], self.pad), np.where(mask, self.types[where], 0)
        return ids.astype(np.int64), types.astype(np.int64), mask

    def only(self, row: int) -> "TokenRows":
        """One of the rows."""
        part = slice(int(self.starts[row]), int(self.ends[row]))
        return TokenRows(self.tokens[part], self.types[part], self.lengths[row : row + 1], self.pad)

    def by_length(self, rows: Int[np.ndarray, " k"], batch_size: int) -> list[Int[np.ndarray, " b"]]:
        """Batches of rows sorted by length."""
        ordered = rows[np.argsort(self.lengths[rows], kind="stable")]
        return [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]


@dataclass(frozen=True, kw_only=True)
class Encoded(TokenRows):
    """Examples of a task as token ids.

    Attributes:
        label: class index, -1 where unknown.
        split: "train", "selection", "report", "mismatched" or "test".
        id: of each example.
        names: class names; index = class.
        origin: where the text is from, for the record.
    """

    label: Int[np.ndarray, " n"]
    split: Shaped[np.ndarray, " n"]
    id: Shaped[np.ndarray, " n"]
    names: Shaped[np.ndarray, " classes"]
    origin: dict[str, Any] = field(default_factory=dict)

    def rows(self, split: str) -> Int[np.ndarray, " k"]:
        """Indices of one split's rows."""
        return np.flatnonzero(self.split == split)

    def digest(self) -> str:
        """Digest of all tokens."""
        digest = hashlib.sha256()
        for held in (self.tokens, self.types, self.ends):
            digest.update(held.tobytes())
        return digest.hexdigest()

    def epoch(
        self, rows: Int[np.ndarray, " k"], batch_size: int, rng: np.random.Generator
    ) -> Iterator[Int[np.ndarray, " b"]]:
        """Batches of one shuffled epoch, each of similar lengths; every row once, in an order rng alone decides."""
        shuffled = rng.permutation(rows)
        pools = [shuffled[i : i + POOL * batch_size] for i in range(0, len(shuffled), POOL * batch_size)]
        batches = [batch for pool in pools for batch in self.by_length(pool, batch_size)]
        yield from (batches[i] for i in rng.permutation(len(batches)))


def texts_of(examples: pd.DataFrame) -> list[Text]:
    """Texts of a task's rows, or pairs of them where there is a column text_pair."""
    if "text_pair" in examples.columns:
        return list(zip(examples["text"], examples["text_pair"], strict=True))
    return examples["text"].tolist()


class TextEncoder:
    """A tokenizer that cuts at some length, pairs longest first, and pads nothing."""

    def __init__(self, tokenizer: Path, max_length: int) -> None:
        """Read a `tokenizer.json`; a row has at most max_length tokens, special tokens included."""
        self.tool = Tokenizer.from_file(str(tokenizer))
        self.tool.no_padding()
        self.tool.enable_truncation(max_length, strategy="longest_first")
        pads = [pad for token in ("[PAD]", "<pad>") if (pad := self.tool.token_to_id(token)) is not None]
        self.pad = pads[0] if pads else 0
        self.unknown = [i for token in ("[UNK]", "<unk>") if (i := self.tool.token_to_id(token)) is not None]
        self.around = self.tool.encode("").ids

    def __call__(self, texts: Sequence[Text]) -> tuple[TokenRows, Bool[np.ndarray, " n"]]:
        """Token ids of some texts or pairs, and which of them were cut."""
        tokens, types = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int8)]
        lengths, cut = [], []
        for i in range(0, len(texts), CHUNK):
            rows = self.tool.encode_batch(texts[i : i + CHUNK])
            tokens.append(np.concatenate([np.array(row.ids, dtype=np.int32) for row in rows]))
            types.append(np.concatenate([np.array(row.type_ids, dtype=np.int8) for row in rows]))
            lengths += [len(row.ids) for row in rows]
            cut += [bool(row.overflowing) for row in rows]
        ends = np.cumsum(lengths, dtype=np.int64)
        return TokenRows(np.concatenate(tokens), np.concatenate(types), ends, self.pad), np.array(cut, dtype=bool)

    def strange(self, rows: TokenRows) -> Bool[np.ndarray, " n"]:
        """Which rows hold no word piece that the tokenizer knows."""
        known = np.cumsum([0, *~np.isin(rows.tokens, self.unknown + self.around)])
        return known[rows.ends] == known[rows.starts]


NOTEWORTHY = 0.1
"""Share of a task's texts."""


def check_told_apart(
    rows: TokenRows, texts: Sequence[Text], splits: Shaped[np.ndarray, " n"], encoder: TextEncoder, where: str
) -> None:
    """Warn where a tokenizer makes one row of many texts, or knows little of them.

    Args:
        rows: what it makes of the texts.
        texts: or pairs.
        splits: of each.
        encoder: the tokenizer.
        where: texts and tokenizer, for messages.

    Raises:
        Problem: when all texts of a split become one row, or no word piece of them is known.
    """
    unknown, around = np.isin(rows.tokens, encoder.unknown), np.isin(rows.tokens, encoder.around)
    spans = list(zip(rows.starts, rows.ends, strict=True))
    gaps, known = (
        np.array([np.count_nonzero(chosen[start:end]) for start, end in spans])
        for chosen in (unknown, ~(unknown | around))
    )
    as_read = np.array([hash(rows.tokens[start:end].tobytes()) for start, end in spans])
    as_written = np.array([hash(text) for text in texts])
    for split in np.unique(splits):
        here = splits == split
        several = len(np.unique(as_written[here])) > 1
        if several and (len(np.unique(as_read[here])) == 1 or not known[here].any()):
            other = "take a checkpoint whose vocabulary covers their language"
            remedy = "raise training.max_length" if known[here].any() else other
            raise Problem(f"all {here.sum()} texts of split {split} are one to the tokenizer, {where}: {remedy}.")
    merged, strange = len(np.unique(as_written)) - len(np.unique(as_read)), int((gaps > known).sum())
    for many, what in ((merged, "are the same to the tokenizer as others"), (strange, "are mostly unknown to it")):
        if many > NOTEWORTHY * len(texts):
            log.warning("%d of %d texts %s: %s", many, len(texts), what, where)


def encode(
    examples: pd.DataFrame,
    names: list[str],
    tokenizer: Path,
    max_length: int,
    origin: dict[str, Any] | None = None,
    where: str = "a corpus",
) -> Encoded:
    """Tokenise a task; pairs are cut longest first (method: 128 wordpieces, special tokens included).

    Args:
        examples: columns id, split, text, label (name or missing) and, for pairs, text_pair.
        names: class names in index order.
        tokenizer: a `tokenizer.json`.
        max_length: tokens a row may have.
        origin: where the text is from.
        where: its file, for messages.

    Raises:
        Problem: as `check_told_apart`.
    """
    texts, encoder, splits = texts_of(examples), TextEncoder(tokenizer, max_length), examples["split"].to_numpy(str)
    rows, cut = encoder(texts)
    check_told_apart(rows, texts, splits, encoder, f"{where} read with {tokenizer}")
    if cut.any():
        log.warning(
            "%d of %d texts have more than %d tokens and were cut: training.max_length",
            cut.sum(),
            len(texts),
            max_length,
        )
    index = {name: i for i, name in enumerate(names)}
    return Encoded(
        tokens=rows.tokens,
        types=rows.types,
        ends=rows.ends,
        pad=rows.pad,
        label=np.array([index.get(label, -1) for label in examples["label"]], dtype=np.int64),
        split=splits,
        id=examples["id"].to_numpy(dtype=str),
        names=np.array(names, dtype=str),
        origin=origin or {},
    )


def write_encoded(path: Path, data: Encoded) -> None:
    """Write an Arrow file, a row for each example: id, split, label, tokens, types; the rest is its metadata."""
    offsets = np.concatenate([[0], data.ends])
    columns = {
        "id": pa.array(data.id),
        "split": pa.array(data.split),
        "label": pa.array(data.label),
        "tokens": pa.LargeListArray.from_arrays(offsets, pa.array(data.tokens, pa.int32())),
        "types": pa.LargeListArray.from_arrays(offsets, pa.array(data.types, pa.int8())),
    }
    about = {"names": data.names.tolist(), "pad": data.pad, "origin": data.origin}
    table = pa.table(columns, metadata={name: json.dumps(value, sort_keys=True) for name, value in about.items()})
    with atomic(path) as temporary, pa.ipc.new_file(str(temporary), table.schema) as file:
        file.write_table(table)


def read_encoded(path: Path) -> Encoded:
    """Read what `write_encoded` wrote; tokens are memory-mapped, so that jobs on one machine share them."""
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    about = {name.decode(): json.loads(value) for name, value in table.schema.metadata.items()}
    tokens, types = (table[name].combine_chunks() for name in ("tokens", "types"))  # written as one
    return Encoded(
        tokens=tokens.values.to_numpy(),
        types=types.values.to_numpy(),
        ends=tokens.offsets.to_numpy()[1:],
        label=table["label"].to_numpy(),
        split=table["split"].to_numpy().astype(str),
        id=table["id"].to_numpy().astype(str),
        names=np.array(about["names"], dtype=str),
        pad=about["pad"],
        origin=about["origin"],
    )
