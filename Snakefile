# CascadeBERT (Li et al., Findings of EMNLP 2021), from raw text to every table, figure and verdict.
#
#   data.smk        text -> train, selection and report split -> token ids
#   weights.smk     pre-trained checkpoints; small complete members are distilled from the base
#   difficulty.smk  K folds x seeds of the small member -> which training instances are difficult (section 3.2)
#   finetune.smk    members, without and with difficulty-aware regularization (Eq. 5, 6), and its controls
#   baselines.smk   early exit: DeeBERT, PABEE, FastBERT (section 4.2, Appendix A)
#   distillation.smk   static students: BERT-PKD, BERT-of-Theseus, BERT-PD (section 4.2); vanilla KD (section 5.4)
#   exits.smk       the selected margin, the cascades (Algorithm 1), thresholds for 2x, 3x, 4x (section 4.1)
#   resources.smk, cost.smk   what each job asks of a cluster, and what all of them cost
#   tables.smk, figures.smk   Tables 1-8, Figures 1-7, Appendix C, and a verdict on every claim
#   submission.smk   answers to GLUE's hidden test sets, for its server
#
# Every system ends in one .npz of logits for each (task, split, seed); all that follows is arithmetic on those.
import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.20")

# A preset stands alone: nothing of config/config.yaml is merged into a config file named on the command line.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/head.smk"


settle_config()
release_stale_lock()
# `python` in a rule is the python that runs Snakemake, or the one of the rule's environment under --sdm conda; no job
# takes more cores than its threads.
os.environ.update(PATH=f"{Path(sys.executable).parent}:{os.getenv('PATH')}", TOKENIZERS_PARALLELISM="false")


pathvars:
    results=config["results"],
    logs=f"{config['results']}/logs",
    benchmarks=f"{config['results']}/benchmarks",


wildcard_constraints:
    package=one_of(config["packages"]),
    task=one_of(config["data"]),
    weights=one_of(config["weights"]),
    member=one_of(config["members"]),
    split=one_of(SPLITS),
    layers=r"\d+",
    fold=r"\d+",
    seed=r"\d+",
    margin=r"\d\.\d+",


include: "rules/resources.smk"
include: "rules/data.smk"
include: "rules/weights.smk"
include: "rules/difficulty.smk"
include: "rules/finetune.smk"
include: "rules/baselines.smk"
include: "rules/distillation.smk"
include: "rules/exits.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/submission.smk"
include: "rules/cost.smk"


localrules:
    all,


onstart:
    start_jobs_at_once()
    end_orphans()
    for sentence in left_out():
        logger.info(sentence)


rule all:
    """Every table, every figure and the verdicts; what the config has no members for is left out, with a note."""
    default_target: True
    input:
        artefacts(),
