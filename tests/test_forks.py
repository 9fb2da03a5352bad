"""Jobs that are forks of one process: run as `python SCRIPT` runs them, apart from each other, ended with who asked."""

import json
import os
import signal
import subprocess
import sys
import time
from uuid import uuid4

import psutil
import pytest
from smoke import ROOT

PROGRAM = str(ROOT / "workflow/forks.py")


def serving(name):
    """A process that serves; libraries are loaded after it can be asked."""
    call = [sys.executable, PROGRAM, "serve", name]
    process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "serving\n"
    return process


@pytest.fixture(scope="module")
def name():
    """By which a process serves."""
    name = f"test-{uuid4()}"
    process = serving(name)
    yield name
    process.communicate()
    assert process.returncode == 0


@pytest.fixture
def script(tmp_path):
    """Function from code to a script that holds it."""

    def write(code):
        path = tmp_path / "job.py"
        path.write_text(f"import json, os, sys, time\nfrom pathlib import Path\n{code}\n")
        return str(path)

    return write


def asking(name, *arguments):
    """The command of a job."""
    return [sys.executable, "-IS", PROGRAM, "ask", name, *arguments]


def asked(name, *arguments, **options):
    """A job that has ended."""
    return subprocess.run(asking(name, *arguments), capture_output=True, text=True, check=False, **options)


TELL = """
import beside
told = [sys.argv, os.environ.get("PLACE"), os.getcwd(), __name__, sys.stdin.read(), beside.HERE, sys.path[0]]
print(json.dumps(told))
"""


def test_a_job_runs_as_python_runs_its_script(name, script, tmp_path):
    (tmp_path / "beside.py").write_text("HERE = 1")
    options = {"cwd": tmp_path, "env": os.environ | {"PLACE": "here"}, "input": "x\ny"}
    path, arguments = script(TELL), ["--words", "a b", "é\n"]
    call = [sys.executable, path, *arguments]
    alone = subprocess.run(call, capture_output=True, text=True, check=True, **options)
    job = asked(name, path, *arguments, **options)
    assert job.stdout == alone.stdout
    assert json.loads(job.stdout)[0] == [path, *arguments]
    assert "core-seconds" in job.stderr


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no such task')", 1, "no such task"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("os.kill(os.getpid(), 9)", 137, "Problem: the job was killed, often for want of memory"),
    ],
)
def test_a_job_ends_in_the_status_of_its_script(name, script, code, status, words):
    job = asked(name, script(code))
    assert job.returncode == status
    assert words in job.stderr


def test_nothing_of_a_job_is_left_to_the_next(name, script):
    leave = script("os.environ['LEFT'] = sys.left = 'x'; os.chdir('/'); import random; random.seed(1); import wave")
    assert asked(name, leave).returncode == 0
    look = "print('LEFT' in os.environ, hasattr(sys, 'left'), os.getcwd() == '/', 'wave' in sys.modules)"
    assert asked(name, script(look)).stdout.split() == ["False"] * 4


def test_a_job_reads_code_when_it_starts(name, script, tmp_path):
    path = script("import beside; print(beside.HERE)")
    for value in ("1", "222"):
        (tmp_path / "beside.py").write_text(f"HERE = {value}")
        assert asked(name, path).stdout == f"{value}\n"


def test_nearly_all_that_trainings_and_predictions_import_is_loaded_before_they_start(name, script):
    code = f"""
before = set(sys.modules)
sys.path.insert(0, {str(ROOT / "workflow/scripts")!r})
import predict, predict_fold, train
late = [getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before]
print(*(path for path in late if "site-packages" in path), sep="\\n")
"""
    late = asked(name, script(code)).stdout.splitlines()
    assert len(late) < 30, "of a thousand"


def wait_for(condition):
    """Until a condition holds: for as long as a busy machine takes."""
    while not condition():
        time.sleep(0.1)


def lives(process):
    """Whether a process of some number lives, and not only waits to be looked after."""
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE


WAIT = "Path('pid').write_text(str(os.getpid())); os.rename('pid', 'ready'); sys.stdin.read(); print('done')"
"""A job that ends when its standard input is closed."""


def test_a_job_ends_when_the_one_that_asked_is_killed(name, script, tmp_path):
    with subprocess.Popen(asking(name, script(WAIT)), cwd=tmp_path, stdin=subprocess.PIPE) as asker:
        wait_for((tmp_path / "ready").exists)
        job = int((tmp_path / "ready").read_text())
        assert lives(job)
        asker.send_signal(signal.SIGKILL)
        asker.wait()
        wait_for(lambda: not lives(job))


def test_jobs_outlive_the_process_that_forked_them(script, tmp_path):
    process = serving(other := f"test-{uuid4()}")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    asker = subprocess.Popen(asking(other, script(WAIT)), cwd=tmp_path, **pipes)
    wait_for((tmp_path / "ready").exists)
    process.communicate()  # closes its input, as the death of Snakemake does
    assert process.returncode == 0
    assert asker.communicate()[0] == "done\n"
    assert asker.returncode == 0


def test_where_nobody_serves_the_script_is_run_all_the_same(script):
    job = asked(f"test-{uuid4()}", script("print(sys.argv[1]); sys.exit(4)"), "x")
    assert (job.stdout, job.returncode) == ("x\n", 4)
