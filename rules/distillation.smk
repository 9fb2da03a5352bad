# Static students of the fine-tuned base (section 4.2, Table 3), and the distillation of section 5.4.


rule predict_teacher:
    """A fine-tuned base's logits and states on the training split, once for all its students."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        trained="<results>/models/{task}/{member}/seed{seed}.safetensors",
    output:
        "<results>/teachers/{task}/{member}/seed{seed}.npz",
    log:
        "<logs>/predict_teacher/{task}/{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_teacher/{task}/{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **on_device(teacher_job),
    params:
        code=code_version("predict_teacher.py"),
        layers=lambda wildcards: f"--layers {layers_of(wildcards.member)} --student-layers {config['student_layers']}",
        settings=lambda wildcards: training(config["members"][wildcards.member]),
    message:
        "The teacher {wildcards.member} answers the training split of {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/predict_teacher.py --encoded {input.encoded} --weights {input.weights}"
        " --trained {input.trained} {params.layers} {params.settings} --threads {threads} --out {output} > {log} 2>&1"


rule train_pkd:
    """BERT-PKD: the base's first layers, taught by the base's logits and states."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        teacher="<results>/teachers/{task}/{member}/seed{seed}.npz",
    output:
        **trained_files("pkd_{member}"),
        predictions=predictions("pkd_{member}"),
    log:
        "<logs>/train_pkd/{task}/pkd_{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_pkd/{task}/pkd_{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("bert_pkd"), layers=student_layers, taught=True),
    params:
        code=code_version("train_pkd.py"),
        model=lambda wildcards: model(wildcards.task, config["student_layers"]),
        settings=lambda wildcards: training(config["bert_pkd"]),
        patience=lambda wildcards: recipe("patience", "bert_pkd"),
    message:
        "Training BERT-PKD on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_pkd.py", "--teacher {input.teacher} {params.patience}")


rule train_theseus:
    """BERT-of-Theseus: the base's modules give way to single layers."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        predecessor="<results>/models/{task}/{member}/seed{seed}.safetensors",
    output:
        **trained_files("theseus_{member}"),
        predictions=predictions("theseus_{member}"),
    log:
        "<logs>/train_theseus/{task}/theseus_{member}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_theseus/{task}/theseus_{member}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("theseus"), passes=THROUGH),
    params:
        code=code_version("train_theseus.py"),
        model=lambda wildcards: model(wildcards.task, config["student_layers"]),
        settings=lambda wildcards: training(config["theseus"]),
        schedule=theseus_schedule,
    message:
        "Training BERT-of-Theseus on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("train_theseus.py", "--predecessor {input.predecessor} {params.schedule}")


rule finetune_pd:
    """BERT-PD: a complete member learns the fine-tuned base's soft labels."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        teacher=f"<results>/teachers/{{task}}/{base()}/seed{{seed}}.npz",
    output:
        **trained_files("{member}_pd"),
        predictions=predictions("{member}_pd"),
    log:
        "<logs>/finetune_pd/{task}/{member}_pd/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_pd/{task}/{member}_pd/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(section("bert_pd")),
    params:
        code=code_version("finetune_kd.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["bert_pd"]),
        kd=lambda wildcards: recipe("kd", "bert_pd"),
    message:
        "Training BERT-PD on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune_kd.py", "--teacher {input.teacher} {params.kd}")


rule finetune_kd_dar:
    """CascadeRoBERTa's small member: vanilla KD and DAR together (section 5.4)."""
    input:
        encoded=lambda wildcards: encoded_for(wildcards.member),
        weights=lambda wildcards: weights_of(wildcards.member),
        difficulty="<results>/difficulty/{task}/{member}/labels.csv",
        selected="<results>/margins/{task}.json",
        teacher=lambda wildcards: f"<results>/teachers/{wildcards.task}/{roberta()}/seed{wildcards.seed}.npz",
    output:
        **trained_files("{member}_kd_dar"),
        predictions=predictions("{member}_kd_dar"),
    log:
        "<logs>/finetune_kd_dar/{task}/{member}_kd_dar/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_kd_dar/{task}/{member}_kd_dar/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trains(own_recipe),
    params:
        code=code_version("finetune_dar.py"),
        model=lambda wildcards: model(wildcards.task, layers_of(wildcards.member)),
        settings=lambda wildcards: training(config["members"][wildcards.member]),
        dar=lambda wildcards, input: dar(input.selected),
        kd=recipe("kd", "kd"),
    message:
        "Fine-tuning {wildcards.member} with vanilla KD and DAR on {wildcards.task}, seed {wildcards.seed}"
    shell:
        train("finetune_dar.py", "--difficulty {input.difficulty} --teacher {input.teacher} {params.dar} {params.kd}")
