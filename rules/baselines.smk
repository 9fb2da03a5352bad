# Early exit inside one model (section 4.2).


rule train_deebert:
    """DeeBERT's off-ramps on the fine-tuned base, which is its first stage."""
    input:
        encoded=encoded_for(base()),
        weights=weights_of(base()),
        stage1=f"<results>/models/{{task}}/{base()}/seed{{seed}}.safetensors",
    output:
        model="<results>/models/{task}/deebert/seed{seed}.safetensors",
        origin="<results>/models/{task}/deebert/seed{seed}.json",
        predictions=predictions("deebert"),
    log:
        "<logs>/train_deebert/{task}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_deebert/{task}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=3000,
    params:
        code=code_version("train_deebert.py"),
        model=lambda wildcards: model(wildcards.task, full_layers()),
        settings=training(config["deebert"]),
    message:
        "Training DeeBERT's off-ramps on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_deebert.py", "--stage1 {input.stage1}")


rule train_pabee:
    """PABEE: one pooler and a classifier for each layer, trained jointly."""
    input:
        encoded=encoded_for(base()),
        weights=weights_of(base()),
    output:
        model="<results>/models/{task}/pabee/seed{seed}.safetensors",
        origin="<results>/models/{task}/pabee/seed{seed}.json",
        predictions=predictions("pabee"),
    log:
        "<logs>/train_pabee/{task}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_pabee/{task}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=3000,
    params:
        code=code_version("train_pabee.py"),
        model=lambda wildcards: model(wildcards.task, full_layers()),
        settings=training(config["pabee"]),
    message:
        "Training PABEE on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_pabee.py")
