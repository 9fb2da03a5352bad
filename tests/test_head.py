"""What a killed Snakemake left behind is cleared by the next one, and nothing of a living one is touched."""

import fcntl
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml
from smoke import ROOT, SMOKE, command, copy_of, replace, said, would_run

RUN = "3f0c8a52-9d7e-4b61-8a35-0c9de1f7a2b4"
TARGET = "results/smoke/tasks/reviews/training.json"
HEAD, EVERYONE = "results/smoke/.head", ".snakemake/everyone"


@pytest.fixture
def cluster(tmp_path):
    """A copy of the repository, a squeue that prints a file, a scancel that empties it: (folder, run, orders)."""
    folder = tmp_path / "here"
    folder.mkdir()
    copy_of(ROOT, folder)
    programs, queue, orders = tmp_path / "bin", tmp_path / "queue", tmp_path / "orders"
    programs.mkdir()
    for name, script in (("squeue", f"cat {queue}"), ("scancel", f'echo "$@" >> {orders}; : > {queue}')):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    orders.touch()

    def run(lines, *arguments):
        if lines is not None:
            queue.write_text("".join(f"{line}\n" for line in lines))
        environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
        call = command(TARGET, *arguments)
        return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return folder, run, orders


def orphans(folder):
    """Two jobs of a killed Snakemake, and two that are none of its."""
    return [
        f"7|{RUN}|{folder}",
        f"12|prefix_{RUN}|{folder}",
        f"8|wrap|{folder}",
        f"9|{RUN}|{folder}/elsewhere",
    ]


def test_jobs_of_a_killed_snakemake_are_cancelled_and_no_others(cluster):
    folder, run, orders = cluster
    done = run(orphans(folder))
    assert done.returncode == 0, said(done)
    assert orders.read_text() == "12 7\n"
    assert (folder / TARGET).exists()


@pytest.mark.parametrize("asking", ["--dry-run", "--list-rules", "--lint"])
def test_asking_takes_nothing_and_cancels_nothing(cluster, asking):
    folder, run, orders = cluster
    run(orphans(folder), asking)
    assert not orders.read_text()
    assert not (folder / EVERYONE).exists()
    assert not (folder / "results").exists()


def test_asking_needs_no_folder_that_can_be_written_to_and_a_run_says_that_it_does(tmp_path):
    copy_of(ROOT, tmp_path).chmod(0o555)
    as_others = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-all"] if os.geteuid() == 0 else []

    def ran(*arguments):
        call = [*as_others, *command(TARGET, *arguments)]
        return subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)

    for asking in ("--dry-run", "--list-rules", "--lint"):
        assert ran(asking).returncode == 0, asking
    assert f"nothing can be written to {tmp_path}" in said(ran())


def held(folder, name, lock):
    """A lock as a Snakemake at work has it, to be closed."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    file = (folder / name).open("a")
    fcntl.flock(file, lock)
    return file


def test_a_preset_has_one_snakemake_and_a_dry_run_does_not_count(cluster):
    folder, run, orders = cluster
    with held(folder, HEAD, fcntl.LOCK_EX):
        for _ in range(2):
            refused = run(orphans(folder))
            assert refused.returncode != 0
            assert "another Snakemake is at work on results/smoke: wait" in said(refused)
            assert run(None, "--dry-run").returncode == 0
    assert not orders.read_text()
    assert not (folder / TARGET).exists()


def test_jobs_of_a_living_snakemake_on_another_preset_are_left_alone(cluster):
    folder, run, orders = cluster
    with held(folder, EVERYONE, fcntl.LOCK_SH):
        done = run(orphans(folder))
    assert done.returncode == 0, said(done)
    assert not orders.read_text()


def test_waiting_jobs_are_looked_at_when_a_job_ends_and_not_ever_more_often(cluster):
    _, run, _ = cluster
    slow = "results/smoke/weights/base/config.json"  # seconds, in which TARGET waits
    done = run([], slow, "--cores", "1", "--verbose", "--prioritize", slow)
    assert said(done).count("Ready jobs: ") == 2, "a look before each job"


def test_a_limit_of_job_starts_that_is_asked_for_is_kept(cluster):
    folder, _, _ = cluster
    call = command(TARGET, "results/smoke/tasks/pairs/training.json", "--max-jobs-per-timespan", "1/1d")
    with subprocess.Popen(call, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        reached = any("Job rate limit reached" in line for line in running.stdout)  # until it says so, or ends
        running.kill()
    assert reached


def test_a_local_run_needs_no_cluster_to_ask_and_says_how_long_it_takes_and_what_to_open(cluster):
    _, run, _ = cluster
    done = run(None)
    assert done.returncode == 0, "squeue, which has no file to print, fails"
    assert "1 job, less than a minute on " in said(done)
    assert said(done).rstrip().splitlines()[-1] == f"Open {TARGET}, {TARGET}l"


def test_what_a_dead_snakemakes_jobs_finished_is_recorded_unless_its_config_was_edited(cluster):
    folder, run, _ = cluster
    records, note = folder / ".snakemake/metadata", folder / HEAD
    assert run([]).returncode == 0
    for record in records.iterdir():
        record.unlink()  # as if the job had ended without its Snakemake
    assert "nothing says which config" in said(run([], "--dry-run")), "that Snakemake has ended: these are copies"
    killed = json.loads(note.read_text())
    note.write_text(json.dumps(killed | {"files": [TARGET, f"{TARGET}l"]}))
    config = folder / "config/smoke.yaml"
    text, edit = config.read_text(), replace("{toy: 480}", "{toy: 481}")
    config.write_text(edit(text))
    for asked in ("--dry-run", "--quiet"):
        assert f"{TARGET}l is there, and nothing says which config" in said(run([], asked))
    config.write_text(text)
    assert run([], "results/smoke/tasks/pairs/training.json").returncode == 0
    assert len(list(records.iterdir())) == 4
    torn = note.read_text()[:40]  # a disk was full, or a kill came in between
    note.write_text(torn)
    assert run([], "--dry-run").returncode == 0
    config.write_text(edit(text))
    assert set(would_run(folder, TARGET)) == {"prepare_task"}, "an edit is seen again"


def test_what_a_cancelled_job_writes_after_its_snakemake_has_ended_is_taken(cluster, monkeypatch):
    folder, run, _ = cluster
    script, made = folder / "workflow/scripts/prepare_task.py", [folder / TARGET, folder / f"{TARGET}l"]
    fails = 'if __name__ == "__main__":\n    1 / int(__import__("os").getenv("DIVISOR", "1"))\n'
    script.write_text(script.read_text().replace('if __name__ == "__main__":\n', fails))
    assert run([]).returncode == 0
    contents = [file.read_bytes() for file in made]
    for file in [*made, *(folder / ".snakemake/metadata").iterdir()]:
        file.unlink()
    monkeypatch.setenv("DIVISOR", "0")
    assert run([]).returncode != 0
    for file, content in zip(made, contents, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for record in [*folder.glob(".snakemake/incomplete/*"), *folder.glob(".snakemake/metadata/*")]:
        record.unlink()  # Snakemake keeps none of the jobs that it cancels
    monkeypatch.delenv("DIVISOR")
    done = run([])
    assert done.returncode == 0, said(done)
    assert "Nothing to be done" in said(done)


def test_a_full_disk_is_told_in_a_sentence(cluster):
    folder, run, _ = cluster
    script = folder / "workflow/scripts/prepare_task.py"
    full = 'if __name__ == "__main__":\n    raise OSError(28, "No space left on device")\n'
    script.write_text(script.read_text().replace('if __name__ == "__main__":\n', full))
    assert "nothing more can be written to results/smoke: make room" in said(run([]))


def test_files_without_a_record_are_kept_or_made_again_only_as_told(cluster):
    folder, run, _ = cluster
    assert run([]).returncode == 0
    shutil.rmtree(folder / ".snakemake")
    assert run([]).returncode != 0, "nobody knows what they were made with"
    assert set(would_run(folder, TARGET, "--forceall")) == {"prepare_task"}
    assert run([], "--touch").returncode == 0
    assert would_run(folder, TARGET) == {}
    (folder / "config/smoke.yaml").write_text(replace("{toy: 480}", "{toy: 481}")((folder / SMOKE).read_text()))
    assert set(would_run(folder, TARGET)) == {"prepare_task"}


def test_jobs_on_this_machine_that_a_killed_snakemake_left_are_ended_and_no_others(cluster):
    folder, run, _ = cluster
    others = [str(folder / "results/smoke"), str(folder / "results")]
    left = [subprocess.Popen(["sleep", "600"], env={**os.environ, "CASCADEBERT_HEAD": results}) for results in others]
    torn, kept = (folder / "results/smoke/models" / name for name in (".seed1.resume.l1_kzs98", ".seed1.resume"))
    part = folder / "results/smoke/cascades/reviews/.cascadebert.l1_kzs98.part"
    for file in (torn, kept, part / "cascadebert/cascade.json"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert run([], "--dry-run").returncode == 0
    assert [process.poll() for process in left] == [None, None]
    done = run([])
    assert done.returncode == 0, said(done)
    assert f"Ending a job of a killed Snakemake: process {left[0].pid}" in said(done)
    assert [process.poll() for process in left] == [-9, None]
    left[1].kill()
    left[1].wait()
    assert [path.exists() for path in (torn, part, kept)] == [False, False, True]


def test_clones_that_share_results_do_not_take_each_others_for_their_own(cluster, tmp_path):
    folder, run, _ = cluster
    (tmp_path / "other").mkdir()
    other = copy_of(ROOT, tmp_path / "other")
    assert run([]).returncode == 0
    (other / "results").symlink_to(folder / "results")
    elsewhere = {"cwd": other, "capture_output": True, "text": True, "check": False}
    with held(folder, HEAD, fcntl.LOCK_EX):
        refused = subprocess.run(command(TARGET, "--forceall"), **elsewhere)
        assert "another Snakemake is at work on results/smoke" in said(refused)
    assert would_run(folder, TARGET) == {}
    assert subprocess.run(command(TARGET, "--forceall"), **elsewhere).returncode == 0
    for asked in ("--dry-run", "--quiet"):
        assert f"{TARGET}l is there, and nothing says which config" in said(run([], asked))
    assert run([], "--touch").returncode == 0
    assert would_run(folder, TARGET) == {}


def test_what_was_made_while_its_code_was_edited_is_not_kept(cluster):
    folder, run, _ = cluster
    script, used = (folder / "workflow/scripts" / name for name in ("prepare_task.py", "cascadebert/data/splits.py"))
    text, code = script.read_text(), used.read_text()

    def edits_while_it_runs(to):
        edit = f"Path({str(used)!r}).write_text({to!r})"
        script.write_text(text.replace('if __name__ == "__main__":\n', f'if __name__ == "__main__":\n    {edit}\n'))
        return run([])

    done = edits_while_it_runs(code + "\n# a comment\n")
    assert done.returncode == 0, said(done)
    done = edits_while_it_runs(code + "\nEDITED = 1\n")
    assert done.returncode != 0
    assert "workflow/scripts/cascadebert/data/splits.py was edited while it was made" in said(done)
    assert not (folder / TARGET).exists()


def test_content_of_a_users_file_decides_and_not_its_age(cluster):
    folder, run, _ = cluster
    data, old = folder / "d.csv", "".join(f"a text of number {i},{'ab'[i % 2]}\n" for i in range(600))
    data.write_text("text,label\n" + old)
    config = folder / "config/smoke.yaml"
    config.write_text(replace("source: {toy: 480}", "source: {path: d.csv}\n    columns: [text]")(config.read_text()))
    config.write_text(replace("labels: [negative, positive]", "labels: [a, b]")(config.read_text()))
    done = run([])
    assert done.returncode == 0, said(done)
    os.utime(data)
    assert would_run(folder, TARGET) == {}
    data.write_text("text,label\n" + old.replace("text of", "word of"))
    os.utime(data, (0, 0))
    assert set(would_run(folder, TARGET)) == {"prepare_task"}


def test_every_line_of_the_cluster_profile_is_understood(tmp_path):
    """Those that wait for an edit, too."""
    folder = copy_of(ROOT, tmp_path)
    (folder / "slurm").mkdir()
    lines = (ROOT / "slurm/config.yaml").read_text().splitlines()
    opened = [re.sub(r"^( *)# ( *[\w-]+:)", r"\1\2", line) for line in lines[2:]]
    (folder / "slurm/config.yaml").write_text("\n".join(opened))
    call = [*command()[:3], "--profile", "slurm", "all", "--dry-run", "--configfile", SMOKE]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, said(done)[-3000:]
    assert yaml.safe_load("\n".join(opened))["set-resource-scopes"] == ["gpu=local"]
    assert "predict_fold" in said(done)
