# Answers to GLUE's hidden test sets, for its server (docs/glue-server.md); not part of `all`.


localrules:
    submissions,
    pack_submission,


rule submissions:
    """Table 2's early-exit systems at each target speed-up, a zip each; asked for by name."""
    input:
        [
            f"<results>/submissions/{run}_{ratio:g}.zip"
            for run, ratios in table2_ratios(config).items()
            for ratio in ratios
            if own_ratio(config, run) is None
        ],


rule pack_submission:
    """One run's answers at one speed-up, at the thresholds of the selection split, as the GLUE server takes them."""
    input:
        lambda wildcards: can_be_made("submissions"),
        predictions=lambda wildcards: of_seeds(
            "<results>/predictions/{task}/{run}/seed{seed}/test.npz", in_glue(config), run=wildcards.run
        ),
        sweeps=expand("<results>/sweeps/{task}/{{run}}.csv", task=in_glue(config)),
    output:
        "<results>/submissions/{run}_{speed_up}.zip",
    log:
        "<logs>/pack_submission/{run}_{speed_up}.log",
    wildcard_constraints:
        run=one_of(runs(config)),
        speed_up=r"[\d.]+",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("pack_submission.py"),
        spec=lambda wildcards: settings(
            seeds=[(name, seeds_of(task)) for task, name in in_glue(config).items()],
            target=submitted_at(wildcards.run, wildcards.speed_up),
        ),
    message:
        "Packing {wildcards.run} at {wildcards.speed_up} for the GLUE server"
    shell:
        "python workflow/scripts/pack_submission.py --predictions {input.predictions} --sweeps {input.sweeps}"
        " --spec {params.spec:q} --out {output} > {log} 2>&1"
