# Tables of the paper, each as tidy CSV, Markdown and LaTeX; Appendix C; a verdict on every claim.


localrules:
    table1,
    table2,
    table3,
    table4,
    table5,
    table6,
    table7,
    table8,
    theory,
    claims,


rule table1:
    """Table 1: the tasks, and the margin selected for each."""
    input:
        lambda wildcards: can_be_made("table1"),
        tasks=of_tasks("<results>/tasks/{task}/task.json"),
        margins=of_tasks("<results>/margins/{task}.json"),
        paper="config/paper/table1.csv",
    output:
        csv="<results>/table1.csv",
        md="<results>/table1.md",
        tex="<results>/table1.tex",
    log:
        "<logs>/table1.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("table1.py"),
        spec=lambda wildcards: table_spec(),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 1"
    shell:
        "python workflow/scripts/table1.py --tasks {input.tasks} --margins {input.margins} --paper {input.paper}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule table2:
    """Table 2: early exit against the cascade at each target speed-up."""
    input:
        lambda wildcards: can_be_made("table2"),
        sweeps=lambda wildcards: sweeps_of("table2"),
        tasks=of_tasks("<results>/tasks/{task}/task.json"),
        paper="config/paper/table2.csv",
    output:
        csv="<results>/table2.csv",
        md="<results>/table2.md",
        tex="<results>/table2.tex",
    log:
        "<logs>/table2.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("score_table.py"),
        spec=lambda wildcards: table_spec(
            title="Early exit against the cascade; BERT-kL needs a whole number of layers.",
            targets=config["speed_ups"],
            server=server_scores(),
        ),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 2"
    shell:
        "python workflow/scripts/score_table.py --sweeps {input.sweeps} --tasks {input.tasks} --paper {input.paper} --number 2"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule table3:
    """Table 3: static distillation against the cascade at the same ratio."""
    input:
        lambda wildcards: can_be_made("table3"),
        sweeps=lambda wildcards: sweeps_of("table3"),
        tasks=of_tasks("<results>/tasks/{task}/task.json"),
        paper="config/paper/table3.csv",
    output:
        csv="<results>/table3.csv",
        md="<results>/table3.md",
        tex="<results>/table3.tex",
    log:
        "<logs>/table3.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("score_table.py"),
        spec=lambda wildcards: table_spec(title=static_title(), targets=[static_ratio()]),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 3"
    shell:
        "python workflow/scripts/score_table.py --sweeps {input.sweeps} --tasks {input.tasks} --paper {input.paper} --number 3"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule table4:
    """Table 4: the cascade with and without DAR, and under controls."""
    input:
        lambda wildcards: can_be_made("table4"),
        sweeps=lambda wildcards: sweeps_of("table4"),
        predictions=lambda wildcards: [path for _, path in predictions_of_table4()],
        tasks=of_tasks("<results>/tasks/{task}/task.json"),
        paper="config/paper/table4.csv",
    output:
        csv="<results>/table4.csv",
        md="<results>/table4.md",
        tex="<results>/table4.tex",
    log:
        "<logs>/table4.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("table4.py"),
        spec=lambda wildcards: table_spec(
            targets=config["ablation_speed_ups"], files=[key for key, _ in predictions_of_table4()]
        ),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 4"
    shell:
        "python workflow/scripts/table4.py --sweeps {input.sweeps} --predictions {input.predictions} --tasks {input.tasks} --paper {input.paper}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule table5:
    """Table 5: DIS, accuracy and ECE of the small member."""
    input:
        lambda wildcards: can_be_made("table5"),
        measures=of_tasks("<results>/measures/{task}/{run}.csv", run=calibrated()),
        paper="config/paper/table5.csv",
    output:
        csv="<results>/table5.csv",
        md="<results>/table5.md",
        tex="<results>/table5.tex",
    log:
        "<logs>/table5.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("table5.py"),
        spec=lambda wildcards: table_spec(methods=list(calibrated().items())),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 5"
    shell:
        "python workflow/scripts/table5.py --measures {input.measures} --paper {input.paper}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule table6:
    """Table 6: the cascade on another backbone."""
    input:
        lambda wildcards: can_be_made("table6"),
        sweeps=lambda wildcards: sweeps_of("table6"),
        tasks=of_tasks("<results>/tasks/{task}/task.json"),
        paper="config/paper/table6.csv",
    output:
        csv="<results>/table6.csv",
        md="<results>/table6.md",
        tex="<results>/table6.tex",
    log:
        "<logs>/table6.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("score_table.py"),
        spec=lambda wildcards: table_spec(
            title="RoBERTa in the cascade: its first layers stand for a complete small model.",
            notes=[precision_note()],
            targets=[static_ratio()],
        ),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 6"
    shell:
        "python workflow/scripts/score_table.py --sweeps {input.sweeps} --tasks {input.tasks} --paper {input.paper} --number 6"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule table7:
    """Table 7: FastBERT and the cascade."""
    input:
        lambda wildcards: can_be_made("table7"),
        sweeps=lambda wildcards: sweeps_of("table7"),
        tasks=of_tasks("<results>/tasks/{task}/task.json"),
        paper="config/paper/table7.csv",
    output:
        csv="<results>/table7.csv",
        md="<results>/table7.md",
        tex="<results>/table7.tex",
    log:
        "<logs>/table7.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("table7.py"),
        spec=lambda wildcards: table_spec(targets=config["ablation_speed_ups"]),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 7"
    shell:
        "python workflow/scripts/table7.py --sweeps {input.sweeps} --tasks {input.tasks} --paper {input.paper}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule table8:
    """Table 8 (not in the paper): every system, its size and its cost."""
    input:
        lambda wildcards: can_be_made("table8"),
        sweeps=lambda wildcards: sweeps_of("table8"),
        origins=lambda wildcards: [path for _, path in trainings()],
        tasks=of_tasks("<results>/tasks/{task}/task.json"),
    output:
        csv="<results>/table8.csv",
        md="<results>/table8.md",
        tex="<results>/table8.tex",
    log:
        "<logs>/table8.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("table8.py"),
        spec=lambda wildcards: table_spec(targets=config["speed_ups"], trainings=[key for key, _ in trainings()]),
        decimals=config["tables"]["decimals"],
    message:
        "Writing Table 8"
    shell:
        "python workflow/scripts/table8.py --sweeps {input.sweeps} --origins {input.origins} --tasks {input.tasks}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule theory:
    """Appendix C: the gain of a third member, predicted and measured."""
    input:
        lambda wildcards: can_be_made("theory"),
        sweeps=lambda wildcards: sweeps_of("figure5"),
        two=lambda wildcards: of_seeds("<results>/predictions/{task}/cascadebert/seed{seed}/report.npz"),
        three=lambda wildcards: of_seeds("<results>/predictions/{task}/cascadebert_three/seed{seed}/report.npz"),
    output:
        csv="<results>/theory.csv",
        md="<results>/theory.md",
    log:
        "<logs>/theory.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("theory_table.py"),
        spec=lambda wildcards: settings(
            seeds=[(task, seeds_of(task)) for task in config["tasks"]], targets=config["speed_ups"]
        ),
        decimals=config["tables"]["decimals"],
    message:
        "Writing what a third member gains"
    shell:
        "python workflow/scripts/theory_table.py --sweeps {input.sweeps} --two {input.two} --three {input.three}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"


rule claims:
    """A verdict on every claim of the paper."""
    input:
        lambda wildcards: can_be_made("claims"),
        sweeps=lambda wildcards: sweeps_of(),
        measures=of_tasks("<results>/measures/{task}/{run}.csv", run=judged_models()),
    output:
        csv="<results>/claims.csv",
        md="<results>/claims.md",
    log:
        "<logs>/claims.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("claims.py"),
        spec=lambda wildcards: claims_spec(),
        decimals=config["tables"]["decimals"],
    message:
        "Writing verdicts on the claims"
    shell:
        "python workflow/scripts/claims.py --sweeps {input.sweeps} --measures {input.measures}"
        " --spec {params.spec:q} --decimals {params.decimals} --csv {output.csv} > {log} 2>&1"
