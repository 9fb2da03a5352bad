# From logits to operating points: the margin, the cascades (Algorithm 1), thresholds for each target speed-up.


localrules:
    select_margin,
    adopt_margin,
    scale_temperature,
    stack_cascade,
    sweep_thresholds,
    measure_exits,


rule select_margin:
    """The margin epsilon of one task, by its cascade's score on the selection split."""
    input:
        predictions=lambda wildcards: expand(
            "<results>/predictions/{task}/{member}_dar{margin}/seed{seed}/selection.npz",
            task=wildcards.task,
            margin=margins(),
            seed=seeds_of(wildcards.task),
            member=config["cascade"][:-1],
        ),
        base=lambda wildcards: of_seeds(
            "<results>/predictions/{task}/{run}/seed{seed}/selection.npz", [wildcards.task], run=base()
        ),
    output:
        "<results>/margins/{task}.json",
    log:
        "<logs>/select_margin/{task}.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("select_margin.py"),
        margins=" ".join(margins()),
        speed_ups=" ".join(map(str, config["speed_ups"])),
        metric=lambda wildcards: metric(wildcards.task),
    message:
        "Selecting the margin for {wildcards.task}"
    shell:
        "python workflow/scripts/select_margin.py --predictions {input.predictions} --base {input.base}"
        " --margins {params.margins} --speed-ups {params.speed_ups} --metric {params.metric} --out {output}"
        " > {log} 2>&1"


rule adopt_margin:
    """A regularized member at the selected margin."""
    input:
        selected="<results>/margins/{task}.json",
        candidates=[
            file
            for margin in margins()
            for file in [
                *trained_files(f"{{member}}_dar{margin}").values(),
                *predictions(f"{{member}}_dar{margin}"),
            ]
        ],
    output:
        trained_files("{member}_dar").values(),
        predictions("{member}_dar"),
    log:
        "<logs>/adopt_margin/{task}/{member}/seed{seed}.log",
    wildcard_constraints:
        member=one_of(config["cascade"][:-1]),
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(adopted_mb),
    params:
        code=code_version("adopt_margin.py"),
        margins=" ".join(margins()),
    message:
        "Adopting the selected margin for {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/adopt_margin.py --selected {input.selected} --margins {params.margins}"
        " --candidates {input.candidates} --out {output} > {log} 2>&1"


rule scale_temperature:
    """Control: a member's logits over the temperature that suits the selection split."""
    input:
        predictions("{member}"),
    output:
        predictions("{member}_tempered"),
    log:
        "<logs>/scale_temperature/{task}/{member}/seed{seed}.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(lambda wildcards: predicted_mb(wildcards.task)),
    params:
        code=code_version("scale_temperature.py"),
    message:
        "Fitting a temperature to {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/scale_temperature.py --predictions {input} --out {output} > {log} 2>&1"


rule stack_cascade:
    """A cascade: all members but the largest as its variant has them, regularized or not (section 3.1)."""
    input:
        lambda wildcards: [file for run in cascade_members(config, wildcards.cascade) for file in predictions(run)],
    output:
        predictions("{cascade}"),
    log:
        "<logs>/stack_cascade/{task}/{cascade}/seed{seed}.log",
    wildcard_constraints:
        cascade=one_of(name for name in runs(config) if name in SYSTEMS),
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(stacked_mb),
    params:
        code=code_version("stack_cascade.py"),
    message:
        "Stacking {wildcards.cascade} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/stack_cascade.py --members {input} --out {output} > {log} 2>&1"


rule sweep_thresholds:
    """Thresholds from the selection split for each target speed-up, and what they give on the report split."""
    input:
        selection=by_seed("selection"),
        report=by_seed("report"),
        mismatched=by_seed("mismatched"),
    output:
        "<results>/sweeps/{task}/{run}.csv",
    log:
        "<logs>/sweep_thresholds/{task}/{run}.log",
    wildcard_constraints:
        run=one_of(runs(config)),
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("sweep_thresholds.py"),
        system=lambda wildcards: runs(config)[wildcards.run],
        metric=lambda wildcards: metric(wildcards.task),
        seeds=lambda wildcards: " ".join(map(str, seeds_of(wildcards.task))),
        targets=" ".join(map(str, targets())),
    message:
        "Thresholds of {wildcards.run} on {wildcards.task}"
    shell:
        "python workflow/scripts/sweep_thresholds.py --selection {input.selection} --report {input.report}"
        " --mismatched {input.mismatched} --seeds {params.seeds} --task {wildcards.task} --run {wildcards.run}"
        " --system {params.system} --metric {params.metric} --targets {params.targets} --out {output} > {log} 2>&1"


rule measure_exits:
    """Accuracy, DIS and ECE of each exit of a run on the report split."""
    input:
        report=by_seed("report"),
        mismatched=by_seed("mismatched"),
    output:
        "<results>/measures/{task}/{run}.csv",
    log:
        "<logs>/measure_exits/{task}/{run}.log",
    wildcard_constraints:
        run=one_of([*calibrated(), *(run for run, _, _ in layered())]),
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("measure_exits.py"),
        seeds=lambda wildcards: " ".join(map(str, seeds_of(wildcards.task))),
    message:
        "Measuring the exits of {wildcards.run} on {wildcards.task}"
    shell:
        "python workflow/scripts/measure_exits.py --report {input.report} --mismatched {input.mismatched}"
        " --seeds {params.seeds} --task {wildcards.task} --run {wildcards.run} --out {output} > {log} 2>&1"


rule extract_states:
    """Representations at the small member's depth, in DeeBERT and in the member (Figure 4)."""
    input:
        encoded=encoded_for(base()),
        base_weights=weights_of(base()),
        stage1=f"<results>/models/{{task}}/{base()}/seed{{seed}}.safetensors",
        deebert=f"<results>/models/{{task}}/deebert_{base()}/seed{{seed}}.safetensors",
        member_encoded=encoded_for(small()),
        member_weights=weights_of(small()),
        member=f"<results>/models/{{task}}/{small()}_dar/seed{{seed}}.safetensors",
    output:
        "<results>/states/{task}/seed{seed}.npz",
    log:
        "<logs>/extract_states/{task}/seed{seed}.log",
    benchmark:
        "<benchmarks>/extract_states/{task}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **on_device(states_job),
    params:
        code=code_version("extract_states.py"),
        depths=f"--base-layers {full()} --member-layers {layers_of(small())}",
        freeze="--freeze-embeddings {freeze_embeddings}".format(**config["training"]),
    message:
        "Extracting representations on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/extract_states.py --encoded {input.encoded} --base-weights {input.base_weights}"
        " --stage1 {input.stage1} --deebert {input.deebert} --member-encoded {input.member_encoded}"
        " --member-weights {input.member_weights} --member {input.member} {params.depths} {params.freeze}"
        " --threads {threads} --out {output} > {log} 2>&1"
