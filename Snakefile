# CascadeBERT (Li et al., Findings of EMNLP 2021), from raw text to every table, figure and verdict.
#
#   data.smk        text -> train, selection and report split -> token ids
#   weights.smk     pre-trained checkpoints; small complete members are distilled from the base
#   difficulty.smk  K folds x seeds of the small member -> which training instances are difficult (section 3.2)
#   training.smk    every training, a rule a step: members, with and without difficulty-aware regularization (Eq. 5, 6),
#                   DeeBERT, PABEE, FastBERT, static students, and the controls
#   recipes.smk     learning rate and epochs of every system, chosen from one grid
#   prediction.smk  weights -> logits of the report split
#   exits.smk       the selected margin, the cascades (Algorithm 1), thresholds for 2x, 3x, 4x (section 4.1)
#   pages.smk       Tables 1-10, Figures 1-8, Appendix C, and a verdict on every claim
#   inference.smk   each trained system in a folder that one takes home, and a proof that it answers as the tables say
#   submission.smk  answers to GLUE's hidden test sets, for its server
#   inputs.smk, params.smk    what each rule reads, and what it is told
#   resources.smk, cost.smk   what each job asks of a cluster, and what all of them cost
#   head.smk, orphans.smk, records.smk   one run at a time, and what a killed one left
#   edits.smk       code that is edited while jobs use it
#   forks.smk       how short jobs are spared the imports of torch and transformers
#   progress.smk    what a user is told while jobs run
#
# What a config makes of these is plain Python in workflow/scripts/cascadebert: recipes.py says what each training is,
# systems.py which systems stand where, catalogue.py what each table and figure shows.
#
# Every system ends in one .npz of logits for each (task, split), all seeds; all that follows is arithmetic on those.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.20")
if workflow.is_main_process and not Path.cwd().samefile(workflow.basedir):
    raise WorkflowError(f"start in the repository's root: cd {workflow.basedir}, and leave out --directory")

# A preset stands alone: nothing of config/config.yaml is merged into a config file named on the command line.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/orphans.smk"
include: "rules/head.smk"
include: "rules/records.smk"


# `python` in a rule is the python that runs Snakemake, or the one of the rule's environment under --sdm conda; no job
# takes more cores than its threads.
os.environ.update(PATH=f"{Path(sys.executable).parent}:{os.getenv('PATH')}", TOKENIZERS_PARALLELISM="false")


pathvars:
    results=CONFIG.results,
    logs=f"{CONFIG.results}/logs",
    benchmarks=f"{CONFIG.results}/benchmarks",


wildcard_constraints:
    package=one_of(CONFIG.packages),
    task=one_of(CONFIG.data),
    weights=one_of(CONFIG.weights),
    member=one_of(CONFIG.members),
    part=one_of(PARTS),
    fold=r"\d+",
    seed=r"\d+",


include: "rules/forks.smk"
include: "rules/resources.smk"
include: "rules/inputs.smk"
include: "rules/params.smk"
include: "rules/data.smk"
include: "rules/weights.smk"
include: "rules/difficulty.smk"
include: "rules/training.smk"
include: "rules/recipes.smk"
include: "rules/prediction.smk"
include: "rules/exits.smk"
include: "rules/pages.smk"
include: "rules/submission.smk"
include: "rules/inference.smk"
include: "rules/cost.smk"
include: "rules/progress.smk"
include: "rules/edits.smk"


localrules:
    all,


onstart:
    begin()
    start_jobs_at_once()
    fork_jobs()
    tell_progress()
    follow_edits()
    for sentence in catalogue.left_out(CONFIG) if any(job.rule.name == "all" for job in workflow.dag.jobs) else ():
        logger.info(sentence)


onsuccess:
    end()
    remove_doubtful()
    name_what_to_open()


onerror:
    tell_failures()
    remove_doubtful()


rule all:
    """Every table, every figure and the verdicts; what the config has no members for is left out, with a note."""
    default_target: True
    input:
        catalogue.artefacts(CONFIG),
