# Text -> train, selection and report split -> token ids.


localrules:  # the nodes of a cluster often have no network
    fetch_dataset,
    fetch_package,


rule fetch_package:
    """A distribution file from the package index, its digest checked before anything of it runs."""
    output:
        "<results>/packages/{package}.zip",
    log:
        "<logs>/fetch_package/{package}.log",
    retries: 2
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("fetch_package.py"),
        pin=lambda wildcards: "--version {version} --sha256 {sha256}".format(**config["packages"][wildcards.package]),
    message:
        "Fetching {wildcards.package}"
    shell:
        "python workflow/scripts/fetch_package.py --package {wildcards.package} {params.pin} --out {output} > {log} 2>&1"


rule fetch_dataset:
    """The files of a data set of the model hub, in one archive."""
    output:
        "<results>/hub/data/{task}.zip",
    log:
        "<logs>/fetch_dataset/{task}.log",
    wildcard_constraints:
        task=one_of(from_hub("data")),
    retries: 2
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(lambda wildcards: examples_mb(wildcards.task)),
    params:
        code=code_version("fetch_dataset.py"),
        source=lambda wildcards: hub_flags(config["data"][wildcards.task]["source"]),
    message:
        "Fetching the data set {wildcards.task} from the model hub"
    shell:
        "python workflow/scripts/fetch_dataset.py --data {wildcards.task} {params.source} --out {output} > {log} 2>&1"


rule prepare_task:
    """Splits of one task, with no text in two of them (Table 1).

    That K folds can be made is checked before anything is trained. The splits do not depend on K, so it is no
    parameter: another K draws no new ones.
    """
    input:
        unpack(lambda wildcards: data_files(wildcards.task)),
    output:
        examples="<results>/tasks/{task}/examples.jsonl",
        task="<results>/tasks/{task}/task.json",
    log:
        "<logs>/prepare_task/{task}.log",
    benchmark:
        "<benchmarks>/prepare_task/{task}.tsv"
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(examples_mb),
        n_folds=config["difficulty"]["n_folds"],
    params:
        code=code_version("prepare_task.py"),
        definition=lambda wildcards: settings(**config["data"][wildcards.task]),
        metric=lambda wildcards: metric(wildcards.task),
        selection=config["selection"],
        archive=lambda wildcards, input: (f"--archive {input.archive}" if "archive" in input.keys() else ""),
    message:
        "Dividing {wildcards.task} into train, selection and report split"
    shell:
        "python workflow/scripts/prepare_task.py --definition {params.definition:q} --metric {params.metric}"
        " --selection {params.selection} --n-folds {resources.n_folds} {params.archive} --examples {output.examples}"
        " --task {output.task} > {log} 2>&1"


rule encode_task:
    """Token ids of one task under one checkpoint's tokenizer."""
    input:
        examples="<results>/tasks/{task}/examples.jsonl",
        task="<results>/tasks/{task}/task.json",
        tokenizer="<results>/weights/{weights}/tokenizer.json",
    output:
        "<results>/tasks/{task}/{weights}.arrow",
    log:
        "<logs>/encode_task/{task}/{weights}.log",
    benchmark:
        "<benchmarks>/encode_task/{task}/{weights}.tsv"
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(encoded_mb),
    params:
        code=code_version("encode_task.py"),
        max_length=config["training"]["max_length"],
    message:
        "Tokenising {wildcards.task} for {wildcards.weights}"
    shell:
        "python workflow/scripts/encode_task.py --examples {input.examples} --task {input.task}"
        " --tokenizer {input.tokenizer} --max-length {params.max_length} --out {output} > {log} 2>&1"
