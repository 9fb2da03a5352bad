# From logits to operating points: the margin, the cascades (Algorithm 1), thresholds for each target speed-up.


rule select_margin:
    """The margin epsilon of one task, by its cascade's score on the selection split."""
    input:
        predictions=expand(
            "<results>/predictions/{{task}}/{member}_dar{margin}/seed{seed}/selection.npz",
            margin=margins(),
            seed=config["seeds"],
            member=config["cascade"][:-1],
        ),
        base=expand(
            f"<results>/predictions/{{{{task}}}}/{base()}/seed{{seed}}/selection.npz",
            seed=config["seeds"],
        ),
    output:
        "<results>/margins/{task}.json",
    log:
        "<logs>/select_margin/{task}.log",
    conda:
        "../envs/paper.yaml"
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
        candidates=[file for margin in margins() for file in predictions(f"{{member}}_dar{margin}")],
    output:
        predictions("{member}_dar"),
    log:
        "<logs>/adopt_margin/{task}/{member}/seed{seed}.log",
    conda:
        "../envs/paper.yaml"
    params:
        code=code_version("adopt_margin.py"),
        margins=" ".join(margins()),
    message:
        "Adopting the selected margin for {wildcards.member} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/adopt_margin.py --selected {input.selected} --margins {params.margins}"
        " --candidates {input.candidates} --out {output} > {log} 2>&1"


rule stack_cascade:
    """CascadeBERT: all members but the largest regularized."""
    input:
        [file for member in config["cascade"][:-1] for file in predictions(f"{member}_dar")],
        predictions(base()),
    output:
        predictions("cascadebert"),
    log:
        "<logs>/stack_cascade/{task}/seed{seed}.log",
    conda:
        "../envs/paper.yaml"
    params:
        code=code_version("stack_cascade.py"),
    message:
        "Stacking the cascade on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/stack_cascade.py --members {input} --out {output} > {log} 2>&1"


rule stack_cascade_without_dar:
    """The same cascade of members fine-tuned by cross-entropy alone."""
    input:
        [file for member in config["cascade"] for file in predictions(member)],
    output:
        predictions("cascadebert_without_dar"),
    log:
        "<logs>/stack_cascade_without_dar/{task}/seed{seed}.log",
    conda:
        "../envs/paper.yaml"
    params:
        code=code_version("stack_cascade.py"),
    message:
        "Stacking the cascade without DAR on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/stack_cascade.py --members {input} --out {output} > {log} 2>&1"


rule sweep_thresholds:
    """Thresholds from the selection split for each target speed-up, and what they give on the report split."""
    input:
        **{
            split: f"<results>/predictions/{{task}}/{{run}}/seed{{seed}}/{split}.npz"
            for split in ("selection", "report", "mismatched")
        },
    output:
        "<results>/sweeps/{task}/{run}/seed{seed}.csv",
    log:
        "<logs>/sweep_thresholds/{task}/{run}/seed{seed}.log",
    wildcard_constraints:
        run=one_of(runs()),
    conda:
        "../envs/paper.yaml"
    params:
        code=code_version("sweep_thresholds.py"),
        system=lambda wildcards: runs()[wildcards.run],
        metric=lambda wildcards: metric(wildcards.task),
        targets=" ".join(map(str, targets())),
    message:
        "Thresholds of {wildcards.run} on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/sweep_thresholds.py --selection {input.selection} --report {input.report}"
        " --mismatched {input.mismatched} --task {wildcards.task} --system {params.system} --seed {wildcards.seed}"
        " --metric {params.metric} --targets {params.targets} --out {output} > {log} 2>&1"
