# Complete members and the base's first k layers, fine-tuned; each training ends in the logits of all splits.


rule finetune:
    """A member, fine-tuned by cross-entropy."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
    output:
        model="<results>/models/{task}/{member}/seed{seed}.safetensors",
        origin="<results>/models/{task}/{member}/seed{seed}.json",
        predictions=predictions("{member}"),
    log:
        "<logs>/finetune/{task}/{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune/{task}/{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=3000,
    params:
        code=code_version("finetune.py"),
        model=lambda wildcards: model(wildcards.task, config["members"][wildcards.member]["layers"]),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
    message:
        "Fine-tuning {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune.py")


rule finetune_first_layers:
    """BERT-kL: the base's first k layers, fine-tuned (section 4.2)."""
    input:
        encoded=encoded_for(base()),
        weights=weights_of(base()),
    output:
        model="<results>/models/{task}/bert_{layers}l/seed{seed}.safetensors",
        origin="<results>/models/{task}/bert_{layers}l/seed{seed}.json",
        predictions=predictions("bert_{layers}l"),
    log:
        "<logs>/finetune_first_layers/{task}/bert_{layers}l/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_first_layers/{task}/bert_{layers}l/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=3000,
    params:
        code=code_version("finetune.py"),
        model=lambda wildcards: model(wildcards.task, wildcards.layers),
        settings=training(config["bert_kl"]),
    message:
        "Fine-tuning the first {wildcards.layers} layers on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune.py")


rule finetune_dar:
    """A member, fine-tuned with difficulty-aware regularization at one margin (Eq. 5, 6)."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        difficulty="<results>/difficulty/{task}/{member}/labels.csv",
    output:
        model="<results>/models/{task}/{member}_dar{margin}/seed{seed}.safetensors",
        origin="<results>/models/{task}/{member}_dar{margin}/seed{seed}.json",
        predictions=predictions("{member}_dar{margin}"),
    log:
        "<logs>/finetune_dar/{task}/{member}_dar{margin}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_dar/{task}/{member}_dar{margin}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=3000,
    params:
        code=code_version("finetune_dar.py"),
        model=lambda wildcards: model(wildcards.task, config["members"][wildcards.member]["layers"]),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
        dar="--dar-weight {weight} --pairs {pairs}".format(**config["dar"]),
    message:
        "Fine-tuning {wildcards.member} on {wildcards.task} with DAR, margin {wildcards.margin}, seed {wildcards.seed}"
    shell:
        train(
            "finetune_dar.py",
            "--difficulty {input.difficulty} {params.dar} --margin {wildcards.margin}",
        )
