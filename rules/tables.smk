# Tables of the paper, each as tidy CSV, Markdown and LaTeX.


rule table2:
    """Table 2: early exit against the cascade at each target speed-up."""
    input:
        sweeps=all_sweeps(),
        tasks=expand("<results>/tasks/{task}/task.json", task=config["tasks"]),
        paper="config/paper/table2.csv",
    output:
        csv="<results>/table2.csv",
        md="<results>/table2.md",
        tex="<results>/table2.tex",
    log:
        "<logs>/table2.log",
    conda:
        "../envs/paper.yaml"
    params:
        code=code_version("table2.py"),
        spec=lambda wildcards: table_spec(),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 2"
    shell:
        "python workflow/scripts/table2.py --sweeps {input.sweeps} --tasks {input.tasks} --paper {input.paper}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} --md {output.md} --tex {output.tex}"
        " > {log} 2>&1"
