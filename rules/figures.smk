# Figures of the paper, each as PDF, PNG and the plotted frame.


rule figure5_all:
    """Score against speed-up, every system (Figure 5)."""
    input:
        sweeps=all_sweeps(),
    output:
        pdf="<results>/figures/figure5_all.pdf",
        png="<results>/figures/figure5_all.png",
        csv="<results>/figures/figure5_all.csv",
    log:
        "<logs>/figure5_all.log",
    conda:
        "../envs/paper.yaml"
    params:
        code=code_version("figure5_all.py"),
        spec=lambda wildcards: settings(tasks=config["tasks"]),
    message:
        "Drawing the trade-off curves"
    shell:
        "python workflow/scripts/figure5_all.py --sweeps {input.sweeps} --spec {params.spec:q} --pdf {output.pdf}"
        " > {log} 2>&1"
