# What a config costs before anything runs; not part of `all`.


rule cost:
    """Jobs, device-hours, memory and disk of every stage of `all`, from the plan that Snakemake makes of the config."""
    output:
        csv="<results>/cost.csv",
        md="<results>/cost.md",
    log:
        "<logs>/cost.log",
    localrule: True
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("cost_table.py"),
        plan=plan_version(),
        config=CONFIG.model_dump_json(exclude_none=True),
        snakefile=workflow.main_snakefile,
    message:
        "Adding up what this config costs"
    shell:
        "python workflow/scripts/cost_table.py --config {params.config:q} --snakefile {params.snakefile:q}"
        " --csv {output.csv} > {log} 2>&1"
