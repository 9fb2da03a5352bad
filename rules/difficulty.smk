# Which training instances are difficult for a member (section 3.2): easy iff right in all seeds when held out.


localrules:
    assign_folds,
    label_difficulty,
    shuffle_difficulty,


rule assign_folds:
    """K stratified folds of the training split."""
    input:
        "<results>/tasks/{task}/examples.jsonl",
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
        folds="--n-folds {n_folds} --seed {fold_seed}".format(**config["difficulty"]),
    message:
        "Drawing folds of {wildcards.task}"
    shell:
        "python workflow/scripts/assign_folds.py --examples {input} {params.folds} --out {output} > {log} 2>&1"


rule predict_fold:
    """A member fine-tuned on all folds but one, and its predictions on that one."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        folds="<results>/difficulty/{task}/folds.csv",
    output:
        predictions="<results>/difficulty/{task}/{member}/seed{seed}/fold{fold}.npz",
        origin="<results>/difficulty/{task}/{member}/seed{seed}/fold{fold}.json",
    log:
        "<logs>/predict_fold/{task}/{member}/seed{seed}/fold{fold}.log",
    benchmark:
        "<benchmarks>/predict_fold/{task}/{member}/seed{seed}/fold{fold}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **saving(),
        **on_device(fold_job),
    params:
        code=code_version("predict_fold.py"),
        layers=lambda wildcards: config["members"][wildcards.member]["layers"],
        settings=lambda wildcards: training(config["members"][wildcards.member], keep="last"),
    message:
        "Difficulty for {wildcards.member} on {wildcards.task}: fold {wildcards.fold}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/predict_fold.py --encoded {input.encoded} --weights {input.weights}"
        " --layers {params.layers} {params.settings} --folds {input.folds} --fold {wildcards.fold}"
        " --seed {wildcards.seed} --threads {threads} --code {params.code} --origin {output.origin}"
        " --out {output.predictions} --checkpoint-minutes {resources.checkpoint_minutes}"
        " --workers {resources.loader_workers} > {log} 2>&1"


rule label_difficulty:
    """Out-of-fold predictions of all seeds joined into difficulty labels."""
    input:
        expand(
            "<results>/difficulty/{{task}}/{{member}}/seed{seed}/fold{fold}.npz",
            seed=config["difficulty"]["seeds"],
            fold=range(config["difficulty"]["n_folds"]),
        ),
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
        seeds=" ".join(map(str, config["difficulty"]["seeds"])),
    message:
        "Labelling what is difficult for {wildcards.member} on {wildcards.task}"
    shell:
        "python workflow/scripts/label_difficulty.py --predictions {input} --seeds {params.seeds} --out {output}"
        " > {log} 2>&1"


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
