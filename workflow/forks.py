"""Jobs as forks of one process that has loaded their libraries: importing torch and transformers takes 5 core-seconds.

    python workflow/forks.py serve NAME             # loads the libraries; ends when its standard input is closed
    python workflow/forks.py ask NAME SCRIPT ...    # in place of python SCRIPT ...

`serve` runs none of this project's code, so that a job reads it when it starts, as it always does, and finds nothing
that another job has left: no random state, no tensor, no thread. `ask` hands over its arguments, environment, folder
and standard files, waits, and ends as the job ends; if it is killed, the job is; if nobody serves, it runs the script
itself. Both meet at a Unix socket in Linux's abstract namespace, which leaves no file behind.
"""

import gc
import json
import os
import resource
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module

LIBRARIES = (
    *("matplotlib.figure", "pandas", "pyarrow", "pydantic.dataclasses", "safetensors.torch", "scipy.optimize"),
    *("scipy.special", "scipy.stats", "seaborn", "sklearn.metrics", "tokenizers", "torch.utils.data", "tqdm", "tyro"),
    *(f"transformers.models.{kind}.modeling_{kind}" for kind in ("bert", "roberta")),
)
"""What the steps import that takes long."""

KILLED = 128 + 9
"""Exit status of a job that ended without a word."""

KILLED_WORDS = "the job was killed, often for want of memory: take fewer --cores"


def serve(name: str) -> None:
    """Fork a process for each job that is asked for, until standard input is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C ends Snakemake, which closes standard input
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen(1024)
        print("serving", flush=True)  # who asks now waits for the libraries
        for library in LIBRARIES:
            import_module(library)
        gc.collect()
        gc.freeze()  # a fork's garbage collector leaves the shared pages alone
        jobs: set[int] = set()
        while sys.stdin not in (ready := select.select([listener, sys.stdin], [], [])[0]):
            connection = ready[0].accept()[0]
            if not (job := os.fork()):
                listener.close()
                run(connection)
            connection.close()
            jobs = {each for each in jobs | {job} if os.waitpid(each, os.WNOHANG) == (0, 0)}


def run(connection: socket.socket) -> None:
    """Be the job that is asked for through a connection, and end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    head, files, *_ = socket.recv_fds(connection, 8, 3)
    asked = json.loads(connection.recv(int.from_bytes(head), socket.MSG_WAITALL))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["arguments"]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    threading.Thread(target=lambda: (connection.recv(1), os._exit(KILLED)), daemon=True).start()
    status = 1
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
        status = 0
    except SystemExit as end:  # of a number, nothing, or a message
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{used.ru_utime + used.ru_stime:.1f} core-seconds, {used.ru_maxrss / 1024:.0f} MiB at the peak",
        file=sys.stderr,
    )
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send(bytes([status]))
    os._exit(status)


def ask(name: str, arguments: list[str]) -> int:
    """Have a script run; its exit status."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends without a word; so does the job
    asked = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
    message = json.dumps(asked).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(f"\0{name}")
        except OSError:
            os.execv(sys.executable, [sys.executable, *arguments])
        socket.send_fds(connection, [len(message).to_bytes(8)], [0, 1, 2])
        connection.sendall(message)
        if status := connection.recv(1):
            return status[0]
    print(f"cascadebert.layouts.Problem: {KILLED_WORDS}", file=sys.stderr)
    return KILLED


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(sys.argv[2], sys.argv[3:]))
