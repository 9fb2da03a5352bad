# What scripts are told beside their files - recipes and pages as JSON, digests of code, flags.


def content(files):
    """Digests of the user's files among a step's input, so that content decides what runs again, whatever their age."""
    return lambda wildcards: [digest(path) for path in files(wildcards).get("files", ())]


def pin(wildcards):
    """Version and digest of a package."""
    package = CONFIG.packages[wildcards.package]
    return f"--version {package.version} --sha256 {package.sha256}"


def definition(wildcards):
    """A task's entry under data, with those of its caps that a part depends on."""
    entry, keys = CONFIG.data[wildcards.task], set(PARTS[wildcards.part])
    published = entry.source.path and "report" in files_of(Path(entry.source.path), splits=entry.source.splits)
    if wildcards.part == "training" and (CONFIG.selection == "validation" or not published):
        keys.add("report")  # it is drawn from the same rows
    rows = entry.rows.model_dump(include=keys, exclude_none=True)
    return plain_json(entry, rows=rows)


def pooling(wildcards):
    """How a checkpoint's sentences are read, as a flag; nothing where it is asked itself."""
    chosen = CONFIG.weights[wildcards.weights].pooling
    return f"--pooling {chosen}" if chosen else ""


def pretraining_recipe(wildcards):
    """How a checkpoint is distilled from another, as JSON."""
    return to_json(pretraining(CONFIG, wildcards.weights))


def corpus(wildcards):
    """The data set whose text is used, as JSON; how a task of the same name is divided does not matter."""
    return plain_json(CONFIG.data[DISTILLED[wildcards.weights].corpus], rows={}, seed=0)


def pretraining_code(wildcards):
    """Digest of the code that distils a checkpoint."""
    way = "masked" if DISTILLED[wildcards.weights].masked else "distillation"
    return code_version("pretrain.py", f"cascadebert/training/{way}.py")


def of_step(name):
    """Runs of one step."""
    return one_of(run for run, recipe in RECIPES.items() if recipe.step == name)


def model_file(run):
    """Where the model of a run is built."""
    return f"cascadebert/{RECIPES[run].model.rpartition('.')[0].replace('.', '/')}.py"


def training_code(wildcards):
    """Digest of the code that this training uses: the script, the objective, the model."""
    objective = f"cascadebert/training/objectives/{RECIPES[wildcards.run].objective}.py"
    return code_version("train.py", objective, model_file(wildcards.run))


def recipe(wildcards):
    """What is trained, as JSON."""
    return to_json(RECIPES[wildcards.run])


def prediction_code(wildcards):
    """Digest of the code that a prediction uses: the script and the model."""
    return code_version("predict.py", model_file(wildcards.run))


def seeds(wildcards):
    """Model seeds of a task."""
    return " ".join(map(str, seeds_of(CONFIG, wildcards.task)))


def predicting(splits):
    """Resources of a prediction."""

    def job(wildcards):
        return JOBS.predicting(wildcards.task, RECIPES[wildcards.run], splits, len(seeds_of(CONFIG, wildcards.task)))

    return on_device(job)


def stacked_mb(wildcards):
    """Disk of a cascade's predictions."""
    exits, seeds = len(cascade_members(CONFIG, wildcards.run)), len(seeds_of(CONFIG, wildcards.task))
    return seeds * JOBS.predicted_mb(wildcards.task, exits, PRINTED)


def packed_code(script):
    """Digest of the code that handles a packed system: a script and the system's models."""
    return lambda wildcards: code_version(script, *sorted({model_file(name) for name in packed_names(wildcards)}))


def packed_names(wildcards):
    """Runs that a packed system is made of, in ascending depth."""
    return PACKED[wildcards.run]


def packed_recipes(wildcards):
    """Their recipes."""
    return [to_json(RECIPES[name]) for name in packed_names(wildcards)]


def packed_system(wildcards):
    """What a packed system is called, how its instances leave, and the speed-up where none is asked for, as flags."""
    run, system = wildcards.run, SYSTEMS[RUNS[wildcards.run]]
    ratio = fixed_ratio(CONFIG, run) or CONFIG.speed_ups[len(CONFIG.speed_ups) // 2]
    label, columns = label_of(CONFIG, run), " ".join(map(quote, columns_of(CONFIG.data[wildcards.task])))
    return f"--label {quote(label)} --exits {system.exits} --speed-up {ratio} --columns {columns}"


def columns_of(data):
    """Columns of a task's texts in the data that it is trained on; none where these are made here."""
    return data.columns or (GLUE[data.glue].columns if data.glue else ())


def exits_flags(wildcards):
    """The system of a run, and how its instances leave, as flags."""
    system = RUNS[wildcards.run]
    return f"--system {system} --exits {SYSTEMS[system].exits}"


def fold_json(wildcards):
    """The recipe of a member's fold trainings."""
    return to_json(fold_recipe(CONFIG, wildcards.member))


def weights_source(wildcards):
    """Where a checkpoint is from."""
    return plain_json(CONFIG.weights[wildcards.weights].source)


def counted_flag(wildcards):
    """Layers that a run's thresholds are chosen by, where they are not those that it executes, as a flag."""
    layers = counted(CONFIG, wildcards.run)
    return f"--counted {' '.join(map(str, layers))}" if layers else ""


def page_job(name):
    """What a page takes: those that show texts read a task's."""
    return lambda wildcards: JOBS.text(CONFIG.tasks) if hasattr(page(name), "examples") else JOBS.short()


def page_json(name):
    """All that a page is, as its script reads it."""
    return lambda wildcards: kinds.to_json(page(name))


def page_code(name):
    """Digest of what renders a page."""
    return lambda wildcards: code_version("page.py", f"cascadebert/pages/{page(name).kind}.py")


def submitted_at(wildcards):
    """The target speed-up that stands in a submission's name, or an error that says which can."""
    fixed = fixed_ratio(CONFIG, wildcards.run)
    known = {f"{target:g}": target for target in (target_speed_ups(CONFIG) if fixed is None else [fixed])}
    if wildcards.speed_up not in known:
        raise WorkflowError(
            f"{wildcards.run} cannot be submitted at {wildcards.speed_up}: take one of {', '.join(known)}."
        )
    return known[wildcards.speed_up]


def plan_version():
    """Digest of all that decides which jobs there are and what they ask for, beside the config."""
    library = [f"cascadebert/{name}.py" for name in ("catalogue", "page_parts", "grid", "recipes", "cluster/jobs")]
    rules = b"".join(file.read_bytes() for file in [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))])
    return f"{code_version(*library)} {hashlib.sha256(rules).hexdigest()[:16]}"
