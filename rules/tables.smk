# Tables of the paper, each as tidy CSV, Markdown and LaTeX.


def all_sweeps(wildcards=None):
    """Operating points of every task, run and seed."""
    return expand(
        "<results>/sweeps/{task}/{run}/seed{seed}.csv", task=config["tasks"], run=runs(), seed=config["seeds"]
    )


def table_spec(wildcards=None):
    """What a table says of its columns and rows."""
    return settings(
        tasks=config["tasks"],
        glue=[config["data"][task].get("glue") for task in config["tasks"]],
        speed_ups=config["speed_ups"],
        full_layers=full_layers(),
        notes=table_notes(),
    )


def table_notes():
    """What a reader must know of the members."""
    return [
        f"The member {member} has {config['members'][member]['layers']} layer, taken from the base and distilled from it"
        " on unlabelled text (rule pretrain_member): it is complete in the sense that its one layer was trained to"
        " represent a whole sentence, but it was not pre-trained from scratch as the paper's small BERT was."
        for member in config["cascade"]
        if "distilled" in config["weights"][config["members"][member]["weights"]]["source"]
    ]


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
        spec=table_spec(),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 2"
    shell:
        "python workflow/scripts/table2.py --sweeps {input.sweeps} --tasks {input.tasks} --paper {input.paper}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} --md {output.md} --tex {output.tex}"
        " > {log} 2>&1"
