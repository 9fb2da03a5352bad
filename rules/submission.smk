# Answers to GLUE's hidden test sets, for its server (docs/glue-server.md); not part of `all`.


localrules:
    submissions,
    pack_submission,


IN_GLUE = in_glue(CONFIG)


rule submissions:
    """Table 2's early-exit systems at each target speed-up, a zip each; asked for by name."""
    input:
        [
            f"<results>/submissions/{run}_{ratio:g}.zip"
            for run, ratios in table2_ratios(CONFIG).items()
            for ratio in ratios
            if fixed_ratio(CONFIG, run) is None
        ],


rule pack_submission:
    """One run's answers at one speed-up, at the thresholds of the selection split, as the GLUE server takes them."""
    input:
        unpack(submitted),
    output:
        "<results>/submissions/{run}_{speed_up}.zip",
    log:
        "<logs>/pack_submission/{run}_{speed_up}.log",
    wildcard_constraints:
        run=one_of(RUNS),
        speed_up=r"[\d.]+",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("pack_submission.py"),
        tasks=list(IN_GLUE.values()),
        target=submitted_at,
    message:
        "Packing {wildcards.run} at {wildcards.speed_up} for the GLUE server"
    shell:
        "python workflow/scripts/pack_submission.py --tasks {params.tasks} --predictions {input.predictions}"
        " --sweeps {input.sweeps} --target {params.target} --out {output} > {log} 2>&1"
