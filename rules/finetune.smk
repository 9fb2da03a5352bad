# Members and the first layers of a base, fine-tuned; each training ends in the logits of all splits.


rule finetune:
    """A member, fine-tuned by cross-entropy."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
    output:
        **trained_files("{member}"),
        predictions=predictions("{member}"),
    log:
        "<logs>/finetune/{task}/{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune/{task}/{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(own_recipe),
    params:
        code=code_version("finetune.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
    message:
        "Fine-tuning {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune.py")


rule finetune_first_layers:
    """BERT-kL and RoBERTa-kL: the first k layers of a base, fine-tuned (section 4.2)."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
    output:
        **trained_files("{member}_first{layers}"),
        predictions=predictions("{member}_first{layers}"),
    log:
        "<logs>/finetune_first_layers/{task}/{member}_first{layers}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_first_layers/{task}/{member}_first{layers}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("bert_kl"), layers=lambda wildcards: wildcards.layers),
    params:
        code=code_version("finetune.py"),
        model=lambda wildcards: model(wildcards.task, wildcards.layers),
        settings=training(config["bert_kl"]),
    message:
        "Fine-tuning the first {wildcards.layers} layers of {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune.py")


rule finetune_dar:
    """A member, fine-tuned with difficulty-aware regularization at one margin (Eq. 5, 6)."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        difficulty="<results>/difficulty/{task}/{member}/labels.csv",
    output:
        **trained_files("{member}_dar{margin}"),
        predictions=predictions("{member}_dar{margin}"),
    log:
        "<logs>/finetune_dar/{task}/{member}_dar{margin}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_dar/{task}/{member}_dar{margin}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(own_recipe),
    params:
        code=code_version("finetune_dar.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
        dar=lambda wildcards: dar(wildcards.margin),
    message:
        "Fine-tuning {wildcards.member} with DAR, margin {wildcards.margin}, on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune_dar.py", "--difficulty {input.difficulty} {params.dar}")


use rule finetune_dar as finetune_dar_selected with:
    # A member beyond the main cascade, at the margin that was selected for the task (section 5.3, section 5.4).
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        difficulty="<results>/difficulty/{task}/{member}/labels.csv",
        selected="<results>/margins/{task}.json",
    output:
        **trained_files("{member}_dar"),
        predictions=predictions("{member}_dar"),
    log:
        "<logs>/finetune_dar_selected/{task}/{member}_dar/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_dar_selected/{task}/{member}_dar/seed{seed}.tsv"
    wildcard_constraints:
        member=one_of(set(config["members"]) - set(config["cascade"][:-1])),
    params:
        code=code_version("finetune_dar.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
        dar=lambda wildcards, input: dar(input.selected),
    message:
        "Fine-tuning {wildcards.member} with DAR on {wildcards.task}, seed {wildcards.seed}"


use rule finetune_dar as finetune_shuffled with:
    # Control: DAR with difficulty labels dealt out at random.
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        difficulty="<results>/difficulty/{task}/{member}/shuffled/seed{seed}.csv",
        selected="<results>/margins/{task}.json",
    output:
        **trained_files("{member}_shuffled"),
        predictions=predictions("{member}_shuffled"),
    log:
        "<logs>/finetune_shuffled/{task}/{member}_shuffled/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_shuffled/{task}/{member}_shuffled/seed{seed}.tsv"
    params:
        code=code_version("finetune_dar.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
        dar=lambda wildcards, input: dar(input.selected),
    message:
        "Fine-tuning {wildcards.member} with DAR on shuffled labels on {wildcards.task}, seed {wildcards.seed}"


rule finetune_batch_mean:
    """Control: a batch's mean confidences in place of difficulty labels (COSEE)."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        selected="<results>/margins/{task}.json",
    output:
        **trained_files("{member}_batch_mean"),
        predictions=predictions("{member}_batch_mean"),
    log:
        "<logs>/finetune_batch_mean/{task}/{member}_batch_mean/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_batch_mean/{task}/{member}_batch_mean/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(own_recipe),
    params:
        code=code_version("finetune_batch_mean.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
        dar=lambda wildcards, input: "--dar-weight {weight}".format(**config["dar"]) + f" --margin {input.selected}",
    message:
        "Fine-tuning {wildcards.member} with batch means on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune_batch_mean.py", "{params.dar}")
