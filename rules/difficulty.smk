# Which training instances are difficult for a member (section 3.2): easy iff right in all seeds when held out.


localrules:
    assign_folds,
    label_difficulty,
    shuffle_difficulty,


FOLDS = range(CONFIG.difficulty.n_folds)


rule assign_folds:
    """K stratified folds of the training split."""
    input:
        "<results>/tasks/{task}/training.jsonl",
    output:
        "<results>/difficulty/{task}/folds.csv",
    log:
        "<logs>/assign_folds/{task}.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(),
    params:
        code=code_version("assign_folds.py"),
        draw=f"--n-folds {CONFIG.difficulty.n_folds} --seed {CONFIG.difficulty.fold_seed}",  # params have no order
    message:
        "Drawing folds of {wildcards.task}"
    shell:
        "python workflow/scripts/assign_folds.py --examples {input} {params.draw} --out {output} > {log} 2>&1"


rule predict_fold:
    """A member fine-tuned on all folds but one, and its predictions on that one."""
    input:
        unpack(fold_files),
        folds="<results>/difficulty/{task}/folds.csv",
    output:
        predictions="<results>/difficulty/{task}/{member}/seed{seed}/fold{fold}.npz",
        record="<results>/difficulty/{task}/{member}/seed{seed}/fold{fold}.json",
    log:
        "<logs>/predict_fold/{task}/{member}/seed{seed}/fold{fold}.log",
    benchmark:
        "<benchmarks>/predict_fold/{task}/{member}/seed{seed}/fold{fold}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trained(of_run(JOBS.fold, "member")),
    params:
        code=code_version("predict_fold.py", "cascadebert/training/objectives/cross_entropy.py"),
        recipe=fold_json,
    message:
        "Difficulty for {wildcards.member} on {wildcards.task}: fold {wildcards.fold}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/predict_fold.py --recipe {params.recipe:q} --encoded {input.encoded}"
        " --weights {input.weights} --folds {input.folds} --fold {wildcards.fold} --seed {wildcards.seed}"
        " --threads {threads} --code {params.code} --checkpoint-minutes {resources.checkpoint_minutes}"
        " --workers {resources.loader_workers} --record {output.record} --out {output.predictions} > {log} 2>&1"


rule label_difficulty:
    """Out-of-fold predictions of all seeds joined into difficulty labels."""
    input:
        expand(AT.fold("{{task}}", "{{member}}", "{seed}", "{fold}"), seed=CONFIG.difficulty.seeds, fold=FOLDS),
    output:
        "<results>/difficulty/{task}/{member}/labels.csv",
    log:
        "<logs>/label_difficulty/{task}/{member}.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("label_difficulty.py"),
    message:
        "Labelling what is difficult for {wildcards.member} on {wildcards.task}"
    shell:
        "python workflow/scripts/label_difficulty.py --predictions {input} --out {output} > {log} 2>&1"


rule shuffle_difficulty:
    """Control: the same labels, dealt out at random."""
    input:
        "<results>/difficulty/{task}/{member}/labels.csv",
    output:
        "<results>/difficulty/{task}/{member}/shuffled/seed{seed}.csv",
    log:
        "<logs>/shuffle_difficulty/{task}/{member}/seed{seed}.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("shuffle_difficulty.py"),
    message:
        "Shuffling the difficulty labels of {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/shuffle_difficulty.py --labels {input} --seed {wildcards.seed} --out {output}"
        " > {log} 2>&1"
