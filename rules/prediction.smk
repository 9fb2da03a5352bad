# From weights to logits: each run answers the report split, all seeds in one process, apart from its training.


PRINTED = ("selection", "report", "mismatched")
"""Splits whose logits every page stands on; the trainings have answered the first."""


rule predict:
    """A run's logits on the report split and its mismatched half, and on the selection split beside them."""
    input:
        unpack(model_files("report", AT.answers)),
    output:
        expand("<results>/predictions/{{task}}/{{run}}/{split}.npz", split=PRINTED),
    log:
        "<logs>/predict/{task}/{run}.log",
    benchmark:
        "<benchmarks>/predict/{task}/{run}.tsv"
    wildcard_constraints:
        run=one_of(RECIPES),
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **predicting(PRINTED),
    params:
        code=prediction_code,
        recipe=recipe,
        seeds=seeds,
        full_layers=FULL_LAYERS,
        splits=PRINTED,
    message:
        "Answering {wildcards.task} by {wildcards.run}"
    shell:
        "python workflow/scripts/predict.py --recipe {params.recipe:q} --encoded {input.encoded}"
        " --weights {input.weights} --seeds {params.seeds} --models {input.models} --stage1 {input.stage1}"
        " --answers {input.answers} --full-layers {params.full_layers} --threads {threads}"
        " --splits {params.splits} --out {output} > {log} 2>&1"


use rule predict as predict_test with:
    # The same on the test split, which nothing but a submission needs.
    input:
        unpack(model_files("test")),
    output:
        "<results>/predictions/{task}/{run}/test.npz",
    log:
        "<logs>/predict_test/{task}/{run}.log",
    benchmark:
        "<benchmarks>/predict_test/{task}/{run}.tsv"
    resources:
        **predicting(("test",)),
    params:
        code=prediction_code,
        recipe=recipe,
        seeds=seeds,
        full_layers=FULL_LAYERS,
        splits="test",


rule predict_teacher:
    """A fine-tuned base's logits and states on the training split, once for all its students."""
    input:
        unpack(teacher_files),
        trained="<results>/models/{task}/{run}/seed{seed}.safetensors",
    output:
        "<results>/teachers/{task}/{run}/seed{seed}.npz",
    log:
        "<logs>/predict_teacher/{task}/{run}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_teacher/{task}/{run}/seed{seed}.tsv"
    wildcard_constraints:
        run=one_of({recipe.teacher for recipe in RECIPES.values() if recipe.teacher}),
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **on_device(of_run(JOBS.teaching)),
    params:
        code=code_version("predict_teacher.py"),
        recipe=recipe,
        student_layers=CONFIG.student_layers,
    message:
        "The teacher {wildcards.run} answers the training split of {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/predict_teacher.py --recipe {params.recipe:q} --encoded {input.encoded}"
        " --weights {input.weights} --trained {input.trained} --student-layers {params.student_layers}"
        " --threads {threads} --out {output} > {log} 2>&1"


rule extract_states:
    """Representations at the small member's depth, in DeeBERT and in the member (Figure 4)."""
    input:
        unpack(states_files),
    output:
        "<results>/states/{task}/seed{seed}.npz",
    log:
        "<logs>/extract_states/{task}/seed{seed}.log",
    benchmark:
        "<benchmarks>/extract_states/{task}/seed{seed}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **on_device(extracting_states),
    params:
        code=code_version("extract_states.py", "cascadebert/models/deebert.py"),
        deebert=to_json(RECIPES[f"deebert_{BASE}"]),
        member=to_json(RECIPES[f"{SMALL}_dar"]),
    message:
        "Extracting representations on {wildcards.task}, seed {wildcards.seed}"
    shell:
        "python workflow/scripts/extract_states.py --recipes {params.deebert:q} {params.member:q}"
        " --encoded {input.encoded} --weights {input.weights} --models {input.models} --stage1 {input.stage1}"
        " --threads {threads} --out {output} > {log} 2>&1"
