# Early exit inside one model (section 4.2, Appendix A).


rule train_deebert:
    """DeeBERT's off-ramps on the fine-tuned base, which is its first stage."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        stage1="<results>/models/{task}/{member}/seed{seed}.safetensors",
    output:
        **trained_files("deebert_{member}"),
        predictions=predictions("deebert_{member}"),
    log:
        "<logs>/train_deebert/{task}/deebert_{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_deebert/{task}/deebert_{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("deebert"), passes=FORWARD, early_exit=True),
    params:
        code=code_version("train_deebert.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=training(config["deebert"]),
    message:
        "Training DeeBERT's off-ramps on {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_deebert.py", "--stage1 {input.stage1}")


rule train_pabee:
    """PABEE: one pooler and a classifier for each layer, trained jointly."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
    output:
        **trained_files("pabee_{member}"),
        predictions=predictions("pabee_{member}"),
    log:
        "<logs>/train_pabee/{task}/pabee_{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_pabee/{task}/pabee_{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("pabee"), early_exit=True),
    params:
        code=code_version("train_pabee.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=training(config["pabee"]),
    message:
        "Training PABEE on {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_pabee.py")


rule train_fastbert_teacher:
    """FastBERT's first stage: the base with an attention classifier after its last layer."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
    output:
        **trained_files("fastbert_teacher_{member}"),
        predictions=predictions("fastbert_teacher_{member}"),
    log:
        "<logs>/train_fastbert_teacher/{task}/fastbert_teacher_{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_fastbert_teacher/{task}/fastbert_teacher_{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("fastbert_teacher")),
    params:
        code=code_version("train_fastbert_teacher.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["fastbert_teacher"]),
    message:
        "Training FastBERT's teacher on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_fastbert_teacher.py")


rule train_fastbert:
    """FastBERT's second stage: classifiers after all layers learn from the teacher's answers."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        stage1="<results>/models/{task}/fastbert_teacher_{member}/seed{seed}.safetensors",
    output:
        **trained_files("fastbert_{member}"),
        predictions=predictions("fastbert_{member}"),
    log:
        "<logs>/train_fastbert/{task}/fastbert_{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_fastbert/{task}/fastbert_{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("fastbert"), passes=FORWARD, early_exit=True),
    params:
        code=code_version("train_fastbert.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["fastbert"]),
    message:
        "Training FastBERT on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_fastbert.py", "--stage1 {input.stage1}")
