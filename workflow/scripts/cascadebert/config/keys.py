"""Every key of a config: its type, its limits, its default, its place in the paper.

Sections are the paper's, errata those of docs/method.md. docs/config.md and config/schema.json are written from this
page (`python docs/describe_config.py`).
"""

from typing import Annotated, Literal

from pydantic import Field

from cascadebert.config.methods import BertPd, BertPkd, Distilbert, Kd, Member, Origins, RecipeGrid, Schedule, Theseus
from cascadebert.config.sources import Data, Package, Weights
from cascadebert.config.types import Margins, Members, Ratios, ResultsFolder, Section, Seed, Seeds, Unique


class Difficulty(Section):
    """Difficulty labels."""

    n_folds: int = Field(default=4, ge=2)
    """K of section 3.2; 8 in the paper."""
    fold_seed: Seed = 0
    """Seed of the one stratified split into folds, shared by all difficulty seeds."""
    seeds: Seeds = [1, 2]
    """Seeds whose predictions must all be right for an instance to be easy; 5 in the paper."""


class Dar(Section):
    """Difficulty-aware regularization."""

    weight: float = Field(default=0.5, ge=0)
    """Lambda of section 3.2."""
    margins: Margins = Field(default=[0.1, 0.3, 0.5, 0.7], min_length=1)
    """Grid of epsilon (Eq. 5); one is selected for each task on its selection split (Table 1). In a binary task a
    margin above 0.5 is never met, so all such margins have the same gradient (erratum 8)."""
    pairs: Literal["sampled", "all"] = "sampled"
    """Sampled - one difficult partner for each easy instance, as the released code draws; all - every pair of a batch
    (erratum 7)."""


class Training(Section):
    """What all trainings share."""

    batch_size: int = Field(default=16, ge=1)
    """Instances in a step; 16 in the released script."""
    max_length: int = Field(default=128, ge=8, le=512)
    """Word pieces in an instance, special tokens included; pairs are cut longest first."""
    weight_decay: float = Field(default=0, ge=0)
    """Of AdamW, on all but biases and LayerNorm."""
    warmup: float = Field(default=0, ge=0, le=1)
    """Share of the steps in which the learning rate rises; it then falls linearly to zero."""
    clip_norm: float = Field(default=1, gt=0)
    """Largest norm of the gradient of the trained tensors."""
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "fp32"
    """Bf16 and fp16 compute layers in half precision, fp16 with a scaled loss; parameters, classifiers, losses and
    confidences stay float32 (erratum 31). auto - bf16 where the CPU that Snakemake runs on multiplies it natively
    (AMX or avx512_bf16), else fp32."""
    freeze_embeddings: bool = False
    """Leave the embeddings as pre-trained (false in the paper)."""
    checkpoint_minutes: float = Field(default=10, ge=0)
    """Minutes between two writings of what a killed training goes on from; 0 after every step. Changes no result, so an
    edit reruns nothing."""
    loader_workers: int = Field(default=0, ge=0)
    """Processes of a training that make its batches; 0 makes them in the training itself. Changes no result, so an edit
    reruns nothing."""
    keep: Literal["best", "last"] = "best"
    """Epoch that a run keeps - the best on the selection split (section 4.1), or the last. Runs for difficulty labels
    keep the last."""


class ServerScore(Section):
    """What the GLUE server returned for one submission."""

    run: str
    """Name of the run that was submitted, as in the zip's name."""
    speed_up: float
    """Target speed-up that was submitted, as in the zip's name; one at which the run stands in Table 2."""
    scores: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(min_length=1)
    """By column of Table 2 - a task's name, and with -mm behind it MNLI's mismatched half - the task's metric in per
    cent, from 0 to 100."""


class Tflops(Section):
    """Peak of a device at each precision."""

    fp32: float = Field(default=19.5, ge=1e-3, le=1e6)
    """Without tensor cores."""
    bf16: float = Field(default=312, ge=1e-3, le=1e6)
    """On tensor cores."""
    fp16: float = Field(default=312, ge=1e-3, le=1e6)
    """On tensor cores."""


class Unknown(Section):
    """What is assumed of what is not there yet."""

    rows: int = Field(default=100000, ge=10, le=10**9)
    """Of a source."""
    tokens: int = Field(default=50, ge=1, le=10**5)
    """Of a text or pair, on average."""
    hidden: int = Field(default=768, ge=8, le=10**5)
    """Of a checkpoint; its feed-forward network is four times as wide."""


class Machine(Section):
    """What jobs run on."""

    device: str = "one NVIDIA A100"
    """What trainings run on, in words."""
    tflops: Tflops = Field(default_factory=Tflops)
    """Peak of the device at each precision, in 10^12 operations a second. Defaults - the maker's for an A100."""
    utilisation: float = Field(default=0.3, ge=1e-3, le=1)
    """Share of the peak that large matrix products reach."""
    launch_ms: float = Field(default=0.8, ge=0, le=1e5)
    """Milliseconds of a pass of one layer over one batch beside its arithmetic (starting kernels, the optimiser, the
    loader). A training step is three passes of each layer."""
    start_minutes: float = Field(default=5, ge=0, le=1440)
    """Minutes of every job beside its batches (a container or a shared file system that starts slowly, imports,
    reading, writing)."""
    process_mb: int = Field(default=3000, ge=500, le=10**6)
    """Memory in MB of a process that trains, before its first tensor. Default - torch with CUDA; on a CPU 700 do."""
    unknown: Unknown = Field(default_factory=Unknown)
    """What is assumed of data and checkpoints that are not there yet; GLUE's sizes are known."""
    slack: float = Field(default=3, ge=1, le=1000)
    """Time that is asked for over the time that is expected."""


class Tables(Section):
    """How tables print."""

    decimals: int = Field(default=1, ge=0, le=4)
    """Digits after the point of a score in per cent."""


class Clock(Section):
    """What is timed on this machine (Table 9, Figure 8)."""

    rows: int = Field(default=256, ge=1)
    """Instances of the report split that are answered, the first ones; at most as many as there are."""
    batch_sizes: Unique[Annotated[int, Field(ge=1)]] = Field(default=[1, 32], min_length=1)
    """Instances in a batch. 1 - one after another, as they would come from a user."""
    repeats: int = Field(default=5, ge=2)
    """Turns of each system and the base, after one of each to warm up."""
    threads: int | None = Field(default=None, ge=1)
    """Of a system that answers, at most the cores that Snakemake has (in a job of a cluster those of the machine that
    Snakemake runs on, 8 at most); without the key all of them. All are kept free in any case."""


class Figures(Section):
    """How figures are made."""

    perplexity: float = Field(default=30, gt=1)
    """Of t-SNE in Figure 4 (erratum 32)."""
    instances: int = Field(default=2000, ge=10)
    """Instances of the report split that Figure 4 shows at most."""
    speed_up: float = Field(default=2, gt=1)
    """Ratio at which DeeBERT's emitted instances are taken in Figure 2 (erratum 21)."""
    min_subset: int = Field(default=50, ge=1)
    """Layers that emit fewer instances are left out of Figure 2."""


class Config(Section):
    """All of it; an unknown key is an error."""

    results: ResultsFolder = "results"
    """Folder that everything is written to. Default - results for config/config.yaml, results/NAME for any other config
    file NAME.yaml, so that presets stay apart."""
    tasks: Unique[str] = Field(min_length=1)
    """Names of the tasks that are trained and reported, in the order of the tables' columns (Table 1). Each is defined
    under data."""
    packages: dict[str, Package] = {}
    """Files from the package index that a source may name. They are checked before anything of them is used, and read
    as archives, never installed or imported."""
    data: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=100)], Data] = Field(min_length=1)
    """Definitions of data sets, by name; a name is a folder, so letters, digits and underscores. A definition that no
    task names is not read, unless as a corpus."""
    weights: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=100)], Weights] = Field(min_length=1)
    """Pre-trained checkpoints, by name (section 4.1, Turc et al. there)."""
    members: dict[Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9]*$", max_length=100)], Member] = Field(min_length=1)
    """Complete models that can be fine-tuned (section 3.1), by name. Learning rate and epochs are each member's own."""
    cascade: Unique[str] = Field(min_length=2)
    """Members in ascending depth (section 3.1); the last is the base, and all but the last are regularized."""
    larger_cascade: Members | None = None
    """Members of the cascade with one more model (section 5.3, Figure 5), ascending, ending in the base. All but the
    last are regularized, each by its own difficulty labels, at the margin that was selected for the task."""
    complete: Members | None = None
    """Complete members of several depths that are set against DeeBERT's off-ramps and BERT-kL of the same depths
    (sections 2.1 and 2.2, Figures 2 and 3), ascending, ending in the base."""
    stand_ins: Annotated[Unique[str], Field(min_length=1)] | None = None
    """Complete members that are shown beside those of complete, of any depth (Table 8, Figure 5 of every system), for
    example one distilled from the base beside one that was pre-trained."""
    roberta_cascade: Members | None = None
    """Two members on a RoBERTa checkpoint (section 5.4, Table 6), the first layers of it and the whole; RoBERTa-kL,
    DeeBERT, PABEE and CascadeRoBERTa are made of them."""
    student_layers: Annotated[int, Field(ge=1)] | None = None
    """Depth of the static students of Table 3 and of RoBERTa-kL in Table 6; a third of the base's in the paper (4 of
    12)."""
    speed_ups: Ratios = Field(default=[2, 3, 4], min_length=1)
    """Target ratios of Table 2 (section 4.1), layers of the base over layers executed."""
    ablation_speed_ups: Ratios = Field(default=[3, 4], min_length=1)
    """Target ratios of Tables 4 and 7 (section 5.2, Appendix A)."""
    curve: Ratios = [1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5]
    """Target ratios of the trade-off curves (Figure 5)."""
    bert_kl: Schedule
    """Fine-tuning of the base's first k layers (section 4.2, BERT-kL)."""
    deebert: Schedule
    """Second stage of DeeBERT, the off-ramps on the fine-tuned base (section 4.2)."""
    pabee: Schedule
    """Joint training of PABEE (section 4.2)."""
    fastbert_teacher: Schedule | None = None
    """First stage of FastBERT, the base with an attention classifier after its last layer (Appendix A)."""
    fastbert: Schedule | None = None
    """Second stage of FastBERT, the self-distillation of a classifier after each layer."""
    fastbert_origins: Origins | None = None
    """Controls that take FastBERT apart, its classifiers from its training (Table 10, ours). Without the key none of
    them is trained."""
    as_released: Schedule | None = None
    """Control - the cascade's smallest member as the released code makes it, as deep as the base, its upper layers
    random (Tables 2 and 4). Thresholds are chosen as that code counts layers; the ratio that is printed is the true
    one."""
    bert_pkd: BertPkd | None = None
    """BERT-PKD (section 4.2), the base's first layers taught by the fine-tuned base's logits and states. The published
    reductions are kept, so that alpha and beta mean what they mean there."""
    theseus: Theseus | None = None
    """BERT-of-Theseus (section 4.2), whose modules are replaced one by one."""
    distilbert: Distilbert | None = None
    """DistilBERT (section 4.2), a member whose checkpoint was distilled without labels."""
    bert_pd: BertPd | None = None
    """BERT-PD (section 4.2), a complete member fine-tuned on the base's soft labels of the training split."""
    kd: Kd = Field(default_factory=Kd)
    """Vanilla knowledge distillation of CascadeRoBERTa's small member (section 5.4; unstated in the paper)."""
    seeds: Seeds
    """Model seeds; every system is trained once for each (the paper's Tables 2-4 are single runs, erratum 30)."""
    recipe_grid: RecipeGrid | None = None
    """One small grid, of the same size for every system, that learning rates and epochs are chosen from by the score on
    the selection split (`snakemake results/recipes.md`). What is chosen is not taken by itself, it is written below
    members and methods."""
    fewer_seeds: dict[str, Annotated[int, Field(ge=1)]] = {}
    """Large tasks that only the first so many seeds are trained on. Averages over tasks are of the seeds that all tasks
    have."""
    selection: Literal["train", "validation"] = "train"
    """Where the epoch, epsilon and the thresholds are chosen (erratum 17) - train, on a slice of the training split
    that nothing is trained on; validation, on the report split itself, as the paper does, so that nothing is left
    out of training and the reported scores are optimistic."""
    difficulty: Difficulty = Field(default_factory=Difficulty)
    """Difficulty labels from out-of-fold predictions (section 3.2, erratum 10)."""
    dar: Dar = Field(default_factory=Dar)
    """Difficulty-aware regularization (section 3.2, Eq. 5 and 6 with the sign of erratum 5)."""
    training: Training = Field(default_factory=Training)
    """What all trainings share (section 4.1; erratum 14 for what it leaves open)."""
    fork_jobs: bool = False
    """Start jobs on this machine as forks of one process that has loaded torch and transformers, in place of some 5
    core-seconds of imports each (workflow/forks.py). Changes no result, so an edit reruns nothing. Files in
    results/benchmarks then know the wall-clock time alone, each job's log its core-seconds and memory."""
    server_scores: list[ServerScore] = []
    """What the GLUE server returned for submissions (docs/glue-server.md); printed in Table 2, in rows of their own."""
    machine: Machine = Field(default_factory=Machine)
    """What jobs run on; decides the memory and the time that they ask a cluster for, and results/cost.md
    (docs/cost.md). Changes no result, so an edit reruns nothing."""
    clock: Clock | None = None
    """What is timed on this machine, all its cores taken (Table 9, Figure 8). Without the key nothing is."""
    tables: Tables = Field(default_factory=Tables)
    """How tables print."""
    figures: Figures = Field(default_factory=Figures)
    """How figures are made."""
