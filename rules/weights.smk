# Pre-trained checkpoints: fetched and imported, or, for a small complete member that nobody offers, distilled from the base.


DISTILLED = [name for name, entry in config["weights"].items() if "distilled" in entry["source"]]
MASKED = [name for name in DISTILLED if "masked" in config["weights"][name]["source"]]


localrules:  # the nodes of a cluster often have no network; importing takes seconds
    fetch_weights,
    import_weights,


rule fetch_weights:
    """The files of a checkpoint of the model hub, in one archive."""
    output:
        "<results>/hub/weights/{weights}.zip",
    log:
        "<logs>/fetch_weights/{weights}.log",
    wildcard_constraints:
        weights=one_of(from_hub("weights")),
    retries: 2
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(lambda wildcards: checkpoint_of(wildcards.weights).parameters * 4 / MB),
    params:
        code=code_version("fetch_weights.py"),
        source=lambda wildcards: hub_flags(config["weights"][wildcards.weights]["source"]),
    message:
        "Fetching the checkpoint {wildcards.weights} from the model hub"
    shell:
        "python workflow/scripts/fetch_weights.py --weights {wildcards.weights} {params.source} --out {output}"
        " > {log} 2>&1"


rule import_weights:
    """A checkpoint as config.json, model.safetensors, tokenizer.json."""
    input:
        unpack(weights_files),
    output:
        model="<results>/weights/{weights}/model.safetensors",
        config="<results>/weights/{weights}/config.json",
        tokenizer="<results>/weights/{weights}/tokenizer.json",
    log:
        "<logs>/import_weights/{weights}.log",
    benchmark:
        "<benchmarks>/import_weights/{weights}.tsv"
    wildcard_constraints:
        weights=one_of(set(config["weights"]) - set(DISTILLED)),
    conda:
        "../envs/paper.yaml"
    resources:
        **requests(checkpoint_job),
    params:
        code=code_version("import_weights.py"),
        source=lambda wildcards: settings(**config["weights"][wildcards.weights]["source"]),
        archive=lambda wildcards, input: (f"--archive {input.archive}" if "archive" in input.keys() else ""),
        pooling=pooling,
    message:
        "Importing the checkpoint {wildcards.weights}"
    shell:
        "python workflow/scripts/import_weights.py --source {params.source:q} {params.archive} {params.pooling}"
        " --out {output.model} > {log} 2>&1"


rule pretrain_member:
    """A small complete member: layers of the base, distilled from it on unlabelled text that is never evaluated."""
    input:
        unpack(lambda wildcards: data_files(distillation(wildcards)["corpus"])),
        weights=lambda wildcards: f"<results>/weights/{distillation(wildcards)['distilled']}/model.safetensors",
        held_out=lambda wildcards: [
            f"<results>/tasks/{name}/examples.jsonl" for name in distillation(wildcards)["held_out"]
        ],
    output:
        model="<results>/weights/{weights}/model.safetensors",
        config="<results>/weights/{weights}/config.json",
        tokenizer="<results>/weights/{weights}/tokenizer.json",
    log:
        "<logs>/pretrain_member/{weights}.log",
    benchmark:
        "<benchmarks>/pretrain_member/{weights}.tsv"
    wildcard_constraints:
        weights=one_of(set(DISTILLED) - set(MASKED)),
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **saving(),
        **on_device(distillation_job),
    params:
        code=code_version("pretrain_member.py"),
        corpus=lambda wildcards: settings(**config["data"][distillation(wildcards)["corpus"]]),
        recipe=pretraining,
        archive=lambda wildcards, input: (f"--archive {input.archive}" if "archive" in input.keys() else ""),
        pooling=pooling,
    message:
        "Distilling the checkpoint {wildcards.weights}"
    shell:
        "python workflow/scripts/pretrain_member.py --weights {input.weights} --corpus {params.corpus:q}"
        " --held-out {input.held_out} {params.recipe} --seed 0 --threads {threads} --code {params.code}"
        " {params.archive} {params.pooling} --out {output.model}"
        " --checkpoint-minutes {resources.checkpoint_minutes} > {log} 2>&1"


rule pretrain_distilbert:
    """DistilBERT's checkpoint: layers of the base, distilled from it by masked language modelling (section 4.2)."""
    input:
        unpack(lambda wildcards: data_files(distillation(wildcards)["corpus"])),
        weights=lambda wildcards: f"<results>/weights/{distillation(wildcards)['distilled']}/model.safetensors",
        held_out=lambda wildcards: [
            f"<results>/tasks/{name}/examples.jsonl" for name in distillation(wildcards)["held_out"]
        ],
    output:
        model="<results>/weights/{weights}/model.safetensors",
        config="<results>/weights/{weights}/config.json",
        tokenizer="<results>/weights/{weights}/tokenizer.json",
    log:
        "<logs>/pretrain_distilbert/{weights}.log",
    benchmark:
        "<benchmarks>/pretrain_distilbert/{weights}.tsv"
    wildcard_constraints:
        weights=one_of(MASKED),
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **saving(),
        **on_device(distillation_job),
    params:
        code=code_version("pretrain_distilbert.py"),
        corpus=lambda wildcards: settings(**config["data"][distillation(wildcards)["corpus"]]),
        recipe=pretraining,
        archive=lambda wildcards, input: (f"--archive {input.archive}" if "archive" in input.keys() else ""),
        pooling=pooling,
    message:
        "Distilling the checkpoint {wildcards.weights} by masked language modelling"
    shell:
        "python workflow/scripts/pretrain_distilbert.py --weights {input.weights} --corpus {params.corpus:q}"
        " --held-out {input.held_out} {params.recipe} --seed 0 --threads {threads} --code {params.code}"
        " {params.archive} {params.pooling} --out {output.model}"
        " --checkpoint-minutes {resources.checkpoint_minutes} > {log} 2>&1"
