# What one takes home: each trained system in a folder of its own.


PACKED = {run: models(CONFIG, run) for run in RUNS if set(models(CONFIG, run)) <= set(RECIPES)}
"""Runs that are made of trained models alone, with these in ascending depth."""

CLOCK = CONFIG.clock or Clock()
CLOCKED = [run for run in runs_in(CONFIG, "table9") if run in PACKED]
SKIPPING = [run for run in PACKED if SYSTEMS[RUNS[run]].exits != "last"]
"""Those whose answers can differ from what the tables rest on."""


localrules:
    cascades,
    prove_cascades,


rule cascades:
    """Every trained system of every task, packed."""
    input:
        [AT.packed(task, run) for task in CONFIG.tasks for run in PACKED],


rule prove_cascades:
    """Every packed system that skips, held against the tables."""
    input:
        [AT.equality(task, run) for task in CONFIG.tasks for run in SKIPPING],


rule pack:
    """A system that answers: members, thresholds, selection logits, model card; the first model seed."""
    input:
        unpack(packed_files),
    output:
        directory("<results>/cascades/{task}/{run}"),
    log:
        "<logs>/pack/{task}/{run}.log",
    wildcard_constraints:
        run=one_of(PACKED),
    conda:
        "../envs/paper.yaml"
    resources:
        **requests(packing, JOBS.machine.process_mb),
    params:
        code=packed_code("pack.py"),
        system=packed_system,
        names=packed_names,
        recipes=packed_recipes,
        metric=metric,
        max_length=CONFIG.training.max_length,
        full_layers=FULL_LAYERS,
        seed=CONFIG.seeds[0],
    message:
        "Packing {wildcards.run} on {wildcards.task}"
    shell:
        "python workflow/scripts/pack.py --names {params.names} --recipes {params.recipes:q} --weights {input.weights}"
        " --tokenizers {input.tokenizers} --models {input.models} --stage1 {input.stage1} --facts {input.facts}"
        " --examples {input.examples} --selection {input.selection} --sweep {input.sweep} --task {wildcards.task}"
        " --run {wildcards.run} {params.system} --metric {params.metric} --max-length {params.max_length}"
        " --full-layers {params.full_layers} --seed {params.seed} --code {params.code} --out {output} > {log} 2>&1"


rule clock:
    """Each system of a task on the clock, one after another and in turns with the base; all cores are taken."""
    input:
        systems=expand("<results>/cascades/{{task}}/{run}", run=CLOCKED),
        base=f"<results>/cascades/{{task}}/{BASE}",
        cascade="<results>/cascades/{task}/cascadebert",
        examples="<results>/tasks/{task}/report.jsonl",
    output:
        "<results>/clock/{task}.csv",
    log:
        "<logs>/clock/{task}.log",
    conda:
        "../envs/paper.yaml"
    threads: all_cores()
    resources:
        **on_device(clocking),
    params:
        rows=CLOCK.rows,
        speed_ups=CONFIG.speed_ups,
        batch_sizes=CLOCK.batch_sizes,
        repeats=CLOCK.repeats,
        threads=f"--threads {CLOCK.threads}" if CLOCK.threads else "",
        code=code_version("time_systems.py"),
    message:
        "Timing the systems of {wildcards.task}"
    shell:
        "python workflow/scripts/time_systems.py --systems {input.systems} --base {input.base} --cascade {input.cascade}"
        " --examples {input.examples} --rows {params.rows} --speed-ups {params.speed_ups}"
        " --batch-sizes {params.batch_sizes} --repeats {params.repeats} --cores {threads} {params.threads}"
        " --out {output} > {log} 2>&1"


rule prove:
    """A packed system that skips answers the report split as the full compute does that the tables rest on."""
    input:
        folder="<results>/cascades/{task}/{run}",
        examples="<results>/tasks/{task}/report.jsonl",
        predictions="<results>/predictions/{task}/{run}/report.npz",
    output:
        "<results>/equality/{task}/{run}.csv",
    log:
        "<logs>/prove/{task}/{run}.log",
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        **on_device(proving),
    params:
        code=packed_code("prove.py"),
    message:
        "Proving that {wildcards.run} on {wildcards.task} answers as the tables say"
    shell:
        "python workflow/scripts/prove.py --folder {input.folder} --examples {input.examples}"
        " --predictions {input.predictions} --threads {threads} --out {output} > {log} 2>&1"
