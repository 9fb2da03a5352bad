# Every training of the paper is one rule with another recipe (cascadebert/recipes.py), and has the name of its step.
# What a recipe stands on - a first stage, a teacher, difficulty labels, the selected margin - it is given as input.


rule train:
    """One training, as its recipe says; it ends in weights and in answers to the selection split."""
    input:
        unpack(training_files),
    output:
        model="<results>/models/{task}/{run}/seed{seed}.safetensors",
        record="<results>/models/{task}/{run}/seed{seed}.json",
        answers="<results>/models/{task}/{run}/seed{seed}.npz",
    log:
        "<logs>/train/{task}/{run}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train/{task}/{run}/seed{seed}.tsv"
    wildcard_constraints:
        run=of_step("train"),
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trained(of_run(JOBS.training)),
    params:
        code=training_code,
        recipe=recipe,
        metric=metric,
        full_layers=FULL_LAYERS,
    message:
        "Training {wildcards.run} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/train.py --recipe {params.recipe:q} --encoded {input.encoded} --weights {input.weights}"
        " --stage1 {input.stage1} --predecessor {input.predecessor} --teacher {input.teacher}"
        " --difficulty {input.difficulty} --margin {input.margin} --metric {params.metric}"
        " --full-layers {params.full_layers} --seed {wildcards.seed} --threads {threads} --code {params.code}"
        " --checkpoint-minutes {resources.checkpoint_minutes} --workers {resources.loader_workers}"
        " --model {output.model} --record {output.record} --answers {output.answers} > {log} 2>&1"


use rule train as finetune with:
    # Complete members, by cross-entropy (section 3.1).
    wildcard_constraints:
        run=of_step("finetune"),


use rule train as finetune_first_layers with:
    # BERT-kL and RoBERTa-kL: the first k layers of a base (section 4.2).
    wildcard_constraints:
        run=of_step("finetune_first_layers"),


use rule train as finetune_dar with:
    # A member with difficulty-aware regularization, at each margin of the grid (Eq. 5, 6).
    wildcard_constraints:
        run=of_step("finetune_dar"),


use rule train as finetune_dar_selected with:
    # A member beyond the main cascade, at the margin that was selected for the task (section 5.3, section 5.4).
    wildcard_constraints:
        run=of_step("finetune_dar_selected"),


use rule train as finetune_shuffled with:
    # Control: DAR with difficulty labels dealt out at random.
    wildcard_constraints:
        run=of_step("finetune_shuffled"),


use rule train as finetune_batch_mean with:
    # Control: a batch's mean confidences in place of difficulty labels (COSEE).
    wildcard_constraints:
        run=of_step("finetune_batch_mean"),


use rule train as train_deebert with:
    # DeeBERT's off-ramps on the fine-tuned base, which is its first stage (section 4.2).
    wildcard_constraints:
        run=of_step("train_deebert"),


use rule train as train_pabee with:
    # PABEE: one pooler and a classifier for each layer, trained jointly (section 4.2).
    wildcard_constraints:
        run=of_step("train_pabee"),


use rule train as train_fastbert_teacher with:
    # FastBERT's first stage: the base with an attention classifier after its last layer (Appendix A).
    wildcard_constraints:
        run=of_step("train_fastbert_teacher"),


use rule train as train_fastbert with:
    # FastBERT's second stage: classifiers after all layers learn from the teacher's answers.
    wildcard_constraints:
        run=of_step("train_fastbert"),


use rule train as train_deebert_distilled with:
    # Control: DeeBERT's off-ramps learn the base's answers, as FastBERT's classifiers do (Table 10).
    wildcard_constraints:
        run=of_step("train_deebert_distilled"),


use rule train as train_fastbert_labelled with:
    # Control: FastBERT's classifiers learn the labels, as DeeBERT's off-ramps do (Table 10).
    wildcard_constraints:
        run=of_step("train_fastbert_labelled"),


use rule train as finetune_attending with:
    # Control: a regularized member of the cascade with FastBERT's classifier (Table 10).
    wildcard_constraints:
        run=of_step("finetune_attending"),


use rule train as finetune_as_released with:
    # Control: a member as deep as the base, its upper layers random, as the released code makes it (Tables 2 and 4).
    wildcard_constraints:
        run=of_step("finetune_as_released"),


use rule train as train_pkd with:
    # BERT-PKD: the base's first layers, taught by the base's logits and states (section 4.2).
    wildcard_constraints:
        run=of_step("train_pkd"),


use rule train as train_theseus with:
    # BERT-of-Theseus: the base's modules give way to single layers (section 4.2).
    wildcard_constraints:
        run=of_step("train_theseus"),


use rule train as finetune_pd with:
    # BERT-PD: a complete member learns the fine-tuned base's soft labels (section 4.2).
    wildcard_constraints:
        run=of_step("finetune_pd"),


use rule train as finetune_kd_dar with:
    # CascadeRoBERTa's small member: vanilla KD and DAR together (section 5.4).
    wildcard_constraints:
        run=of_step("finetune_kd_dar"),
