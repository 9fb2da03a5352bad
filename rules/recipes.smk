# Learning rate and epochs of every system from one grid of the same size (key recipe_grid). Not a part of `all`: what is
# chosen is written into the preset by whoever asks for it, and docs/recipes.md says what that was.


localrules:
    choose_recipes,


use rule train as train_grid_point with:
    # A system at one point of its grid; the record alone is kept.
    output:
        model=temp("<results>/models/{task}/{run}/seed{seed}.safetensors"),
        record="<results>/models/{task}/{run}/seed{seed}.json",
        answers=temp("<results>/models/{task}/{run}/seed{seed}.npz"),
    wildcard_constraints:
        run=of_step(tuning.STEP),


rule choose_recipes:
    """The best point of every system's grid by its score on the selection split, as a table and as keys of a config."""
    input:
        grid_records,
    output:
        csv="<results>/recipes.csv",
        md="<results>/recipes.md",
        yaml="<results>/recipes.yaml",
    log:
        "<logs>/recipes.log",
    conda:
        "../envs/paper.yaml"
    resources:
        **short_job(),
    params:
        code=code_version("choose_recipes.py"),
        config=CONFIG.model_dump_json(exclude_none=True, exclude={"machine"}),
    message:
        "Choosing learning rate and epochs of every system"
    shell:
        "python workflow/scripts/choose_recipes.py --config {params.config:q} --out {output.csv} > {log} 2>&1"
