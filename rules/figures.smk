# Figures of the paper, each as PDF, PNG and the plotted frame; 6 and 7 are ours.


localrules:
    figure1,
    figure2,
    figure3,
    figure4,
    figure5,
    figure5_all,
    figure6,
    figure7,


rule figure1:
    """Figure 1: an easy instance that an off-ramp gets wrong and the small complete member right."""
    input:
        lambda wildcards: can_be_made("figure1"),
        deebert=of_tasks(f"<results>/predictions/{{task}}/deebert_{base()}/seed{first_seed()}/report.npz"),
        small=of_tasks(f"<results>/predictions/{{task}}/{small()}/seed{first_seed()}/report.npz"),
        base=of_tasks(f"<results>/predictions/{{task}}/{base()}/seed{first_seed()}/report.npz"),
        examples=of_tasks("<results>/tasks/{task}/examples.jsonl"),
    output:
        pdf="<results>/figures/figure1.pdf",
        png="<results>/figures/figure1.png",
        csv="<results>/figures/figure1.csv",
    log:
        "<logs>/figure1.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(),
    params:
        code=code_version("figure1.py"),
        spec=lambda wildcards: settings(tasks=config["tasks"], layer=layers_of(small())),
    message:
        "Drawing the easy instance (Figure 1)"
    shell:
        "python workflow/scripts/figure1.py --deebert {input.deebert} --small {input.small} --base {input.base} --examples {input.examples}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"


rule figure2:
    """Figure 2: accuracy by layer on what DeeBERT emits there."""
    input:
        lambda wildcards: can_be_made("figure2"),
        predictions=lambda wildcards: [path for _, path in predictions_of_figure2()],
        sweeps=of_tasks(f"<results>/sweeps/{{task}}/deebert_{base()}.csv"),
    output:
        pdf="<results>/figures/figure2.pdf",
        png="<results>/figures/figure2.png",
        csv="<results>/figures/figure2.csv",
    log:
        "<logs>/figure2.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("figure2.py"),
        spec=lambda wildcards: settings(
            tasks=config["tasks"],
            runs=[key for key, _ in predictions_of_figure2()],
            target=config["figures"]["speed_up"],
            min_subset=config["figures"]["min_subset"],
        ),
    message:
        "Drawing accuracy by layer (Figure 2)"
    shell:
        "python workflow/scripts/figure2.py --predictions {input.predictions} --sweeps {input.sweeps}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"


rule figure3:
    """Figure 3: DIS of every model and layer."""
    input:
        lambda wildcards: can_be_made("figure3"),
        measures=lambda wildcards: [path for _, path in measures_of_figure3()],
    output:
        pdf="<results>/figures/figure3.pdf",
        png="<results>/figures/figure3.png",
        csv="<results>/figures/figure3.csv",
    log:
        "<logs>/figure3.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("figure3.py"),
        spec=lambda wildcards: settings(tasks=config["tasks"], runs=[key for key, _ in measures_of_figure3()]),
    message:
        "Drawing DIS by layer (Figure 3)"
    shell:
        "python workflow/scripts/figure3.py --measures {input.measures}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"


rule figure4:
    """Figure 4: representations at the small member's depth."""
    input:
        lambda wildcards: can_be_made("figure4"),
        states=of_tasks(f"<results>/states/{{task}}/seed{first_seed()}.npz"),
    output:
        pdf="<results>/figures/figure4.pdf",
        png="<results>/figures/figure4.png",
        csv="<results>/figures/figure4.csv",
    log:
        "<logs>/figure4.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("figure4.py"),
        spec=lambda wildcards: settings(
            tasks=config["tasks"],
            perplexity=config["figures"]["perplexity"],
            instances=config["figures"]["instances"],
            seed=0,
        ),
    message:
        "Drawing representations (Figure 4)"
    shell:
        "python workflow/scripts/figure4.py --states {input.states}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"


rule figure5:
    """Figure 5: two members against three."""
    input:
        lambda wildcards: can_be_made("figure5"),
        sweeps=lambda wildcards: sweeps_of("figure5"),
    output:
        pdf="<results>/figures/figure5.pdf",
        png="<results>/figures/figure5.png",
        csv="<results>/figures/figure5.csv",
    log:
        "<logs>/figure5.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("figure5.py"),
        spec=lambda wildcards: settings(tasks=config["tasks"], name="figure5"),
    message:
        "Drawing two members against three (Figure 5)"
    shell:
        "python workflow/scripts/figure5.py --sweeps {input.sweeps}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"


rule figure5_all:
    """Score against speed-up, every system (Figure 5)."""
    input:
        lambda wildcards: can_be_made("figure5_all"),
        sweeps=lambda wildcards: sweeps_of("figure5_all"),
    output:
        pdf="<results>/figures/figure5_all.pdf",
        png="<results>/figures/figure5_all.png",
        csv="<results>/figures/figure5_all.csv",
    log:
        "<logs>/figure5_all.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("figure5.py"),
        spec=lambda wildcards: settings(tasks=config["tasks"], name="figure5_all"),
    message:
        "Drawing the trade-off curves of every system"
    shell:
        "python workflow/scripts/figure5.py --sweeps {input.sweeps}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"


rule figure6:
    """Figure 6 (ours): reliability of the small member."""
    input:
        lambda wildcards: can_be_made("figure6"),
        predictions=lambda wildcards: [path for _, path in predictions_of_figure6()],
    output:
        pdf="<results>/figures/figure6.pdf",
        png="<results>/figures/figure6.png",
        csv="<results>/figures/figure6.csv",
    log:
        "<logs>/figure6.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("figure6.py"),
        spec=lambda wildcards: settings(tasks=config["tasks"], runs=[key for key, _ in predictions_of_figure6()]),
    message:
        "Drawing the reliability diagram (Figure 6)"
    shell:
        "python workflow/scripts/figure6.py --predictions {input.predictions}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"


rule figure7:
    """Figure 7 (ours): difficulty labels against human ratings."""
    input:
        lambda wildcards: can_be_made("figure7"),
        labels=expand(f"<results>/difficulty/{{task}}/{small()}/labels.csv", task=rated(config)),
        examples=expand("<results>/tasks/{task}/examples.jsonl", task=rated(config)),
    output:
        pdf="<results>/figures/figure7.pdf",
        png="<results>/figures/figure7.png",
        csv="<results>/figures/figure7.csv",
    log:
        "<logs>/figure7.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **reads_text(),
    params:
        code=code_version("figure7.py"),
        spec=lambda wildcards: settings(tasks=rated(config)),
    message:
        "Drawing difficulty against human ratings (Figure 7)"
    shell:
        "python workflow/scripts/figure7.py --labels {input.labels} --examples {input.examples}"
        " --spec {params.spec:q} --pdf {output.pdf} > {log} 2>&1"
