# Pre-trained checkpoints: fetched and imported, or, for a small complete member that nobody offers, distilled from the base.


localrules:  # the nodes of a cluster often have no network; importing takes seconds
    fetch_weights,
    import_weights,


DISTILLED = {name: weights.source for name, weights in CONFIG.weights.items() if weights.source.distilled}


rule fetch_weights:
    """The files of a checkpoint of the model hub, in one archive."""
    output:
        "<results>/hub/weights/{weights}.zip",
    log:
        "<logs>/fetch_weights/{weights}.log",
    wildcard_constraints:
        weights=one_of(name for name, weights in CONFIG.weights.items() if weights.source.hub),
    retries: 2
    conda:
        "../envs/paper.yaml"
    resources:
        **requests(of_weights(JOBS.importing)),
    params:
        code=code_version("fetch_weights.py"),
        source=hub_flags(CONFIG.weights),
    message:
        "Fetching the checkpoint {wildcards.weights} from the model hub"
    shell:
        "TQDM_POSITION=-1 python workflow/scripts/fetch_weights.py --weights {wildcards.weights} {params.source}"
        " --out {output} 2>&1 | tee {log}"


rule import_weights:
    """A checkpoint as config.json, model.safetensors, tokenizer.json."""
    input:
        unpack(source_files),
        like=other_checkpoint,
    output:
        model="<results>/weights/{weights}/model.safetensors",
        config="<results>/weights/{weights}/config.json",
        tokenizer="<results>/weights/{weights}/tokenizer.json",
    log:
        "<logs>/import_weights/{weights}.log",
    benchmark:
        "<benchmarks>/import_weights/{weights}.tsv"
    wildcard_constraints:
        weights=one_of(set(CONFIG.weights) - set(DISTILLED)),
    conda:
        "../envs/paper.yaml"
    resources:
        **requests(of_weights(JOBS.importing)),
    params:
        code=code_version("import_weights.py"),
        source=weights_source,
        archive=archive_flag,
        pooling=pooling,
        content=content(source_files),
        max_length=CONFIG.training.max_length,
    message:
        "Importing the checkpoint {wildcards.weights}"
    shell:
        "python workflow/scripts/import_weights.py --source {params.source:q} {params.archive} {params.pooling}"
        " --like {input.like} --max-length {params.max_length} --out {output.model} > {log} 2>&1"


rule pretrain_member:
    """A small complete member: layers of the base, distilled from it on unlabelled text that is never evaluated."""
    input:
        unpack(corpus_files),
    output:
        model="<results>/weights/{weights}/model.safetensors",
        config="<results>/weights/{weights}/config.json",
        tokenizer="<results>/weights/{weights}/tokenizer.json",
    log:
        "<logs>/pretrain/{weights}.log",
    benchmark:
        "<benchmarks>/pretrain/{weights}.tsv"
    wildcard_constraints:
        weights=one_of(name for name, source in DISTILLED.items() if not source.masked),
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **trained(of_weights(JOBS.distillation)),
    params:
        code=pretraining_code,
        recipe=pretraining_recipe,
        corpus=corpus,
        archive=archive_flag,
        content=content(corpus_files),
    message:
        "Distilling the checkpoint {wildcards.weights}"
    shell:
        "python workflow/scripts/pretrain.py --recipe {params.recipe:q} --weights {input.weights}"
        " --corpus {params.corpus:q} --held-out {input.held_out} --seed 0 --threads {threads} --code {params.code}"
        " {params.archive} --out {output.model} --checkpoint-minutes {resources.checkpoint_minutes} > {log} 2>&1"


use rule pretrain_member as pretrain_distilbert with:
    # DistilBERT's checkpoint: by masked language modelling (section 4.2).
    wildcard_constraints:
        weights=one_of(name for name, source in DISTILLED.items() if source.masked),
