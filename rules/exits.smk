# From logits to operating points: the margin, the cascades (Algorithm 1), thresholds for each target speed-up.


localrules:
    select_margin,
    adopt_margin,
    scale_temperature,
    stack_cascade,
    stack_test,
    sweep_thresholds,
    measure_exits,


DAR = {member: at_margins(CONFIG, member) for member in CONFIG.cascade[:-1]}  # runs of regularized members, by margin


rule select_margin:
    """The margin epsilon of one task, by its cascade's score on the selection split."""
    input:
        answers=answers_at_margins,
        base=lambda wildcards: of_seeds(AT.answers, wildcards.task, BASE),
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
        margins=MARGINS,
        speed_ups=CONFIG.speed_ups,
        metric=metric,
    message:
        "Selecting the margin for {wildcards.task}"
    shell:
        "python workflow/scripts/select_margin.py --answers {input.answers} --base {input.base}"
        " --margins {params.margins} --speed-ups {params.speed_ups} --metric {params.metric} --out {output}"
        " > {log} 2>&1"


rule adopt_margin:
    """A regularized member at the selected margin."""
    input:
        selected="<results>/margins/{task}.json",
        candidates=files_at_margins,
    output:
        "<results>/models/{task}/{member}_dar/seed{seed}.safetensors",
        "<results>/models/{task}/{member}_dar/seed{seed}.json",
        "<results>/models/{task}/{member}_dar/seed{seed}.npz",
    log:
        "<logs>/adopt_margin/{task}/{member}/seed{seed}.log",
    wildcard_constraints:
        member=one_of(DAR),
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(kept_mb),
    params:
        code=code_version("adopt_margin.py"),
        margins=MARGINS,
    message:
        "Adopting the selected margin for {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/adopt_margin.py --selected {input.selected} --margins {params.margins}"
        " --candidates {input.candidates} --out {output} > {log} 2>&1"


rule scale_temperature:
    """Control: a member's logits over a temperature that suits its selection split."""
    input:
        selection="<results>/predictions/{task}/{member}/selection.npz",
        predictions=expand("<results>/predictions/{{task}}/{{member}}/{split}.npz", split=PRINTED),
    output:
        expand("<results>/predictions/{{task}}/{{member}}_tempered/{split}.npz", split=PRINTED),
    log:
        "<logs>/scale_temperature/{task}/{member}.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("scale_temperature.py"),
    message:
        "Scaling the temperature of {wildcards.member} on {wildcards.task}"
    shell:
        "python workflow/scripts/scale_temperature.py --selection {input.selection} --predictions {input.predictions}"
        " --out {output} > {log} 2>&1"


rule stack_cascade:
    """A cascade's logits: those of its members, in ascending depth."""
    input:
        members_files(*PRINTED),
    output:
        expand("<results>/predictions/{{task}}/{{run}}/{split}.npz", split=PRINTED),
    log:
        "<logs>/stack_cascade/{task}/{run}.log",
    wildcard_constraints:
        run=one_of(run for run, system in RUNS.items() if SYSTEMS[system].cascade),
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(stacked_mb),
    params:
        code=code_version("stack_cascade.py"),
    message:
        "Stacking {wildcards.run} on {wildcards.task}"
    shell:
        "python workflow/scripts/stack_cascade.py --members {input} --out {output} > {log} 2>&1"


use rule stack_cascade as stack_test with:
    # The same on the test split, for a submission.
    input:
        members_files("test"),
    output:
        "<results>/predictions/{task}/{run}/test.npz",
    log:
        "<logs>/stack_test/{task}/{run}.log",


rule sweep_thresholds:
    """Thresholds from the selection split for each target speed-up, and what they give on the report split."""
    input:
        selection="<results>/predictions/{task}/{run}/selection.npz",
        report="<results>/predictions/{task}/{run}/report.npz",
        mismatched="<results>/predictions/{task}/{run}/mismatched.npz",
        baselines="<results>/baselines/{task}.npz",
    output:
        "<results>/sweeps/{task}/{run}.csv",
    log:
        "<logs>/sweep_thresholds/{task}/{run}.log",
    wildcard_constraints:
        run=one_of(RUNS),
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("sweep_thresholds.py"),
        system=exits_flags,
        metric=metric,
        targets=target_speed_ups(CONFIG),
        counted=counted_flag,
    message:
        "Thresholds of {wildcards.run} on {wildcards.task}"
    shell:
        "python workflow/scripts/sweep_thresholds.py --selection {input.selection} --report {input.report}"
        " --mismatched {input.mismatched} --baselines {input.baselines} --task {wildcards.task} --run {wildcards.run}"
        " {params.system} --metric {params.metric} --targets {params.targets} {params.counted} --out {output}"
        " > {log} 2>&1"


rule measure_exits:
    """Accuracy, DIS and ECE of each exit of a run on the report split."""
    input:
        report="<results>/predictions/{task}/{run}/report.npz",
        mismatched="<results>/predictions/{task}/{run}/mismatched.npz",
    output:
        "<results>/measures/{task}/{run}.csv",
    log:
        "<logs>/measure_exits/{task}/{run}.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("measure_exits.py"),
    message:
        "Measuring the exits of {wildcards.run} on {wildcards.task}"
    shell:
        "python workflow/scripts/measure_exits.py --report {input.report} --mismatched {input.mismatched}"
        " --task {wildcards.task} --run {wildcards.run} --out {output} > {log} 2>&1"
