# Jobs of this machine are forks of one process that has loaded their libraries, where the config says fork_jobs.
import atexit
import sys
from shlex import quote
from subprocess import PIPE, Popen
from uuid import uuid4


def fork_jobs():
    """Let `python` in a rule's command ask workflow/forks.py for a fork; as long as this Snakemake lives, it serves.

    Not where a job has an environment of its own, nor within the jobs of a cluster, which are Snakemakes themselves.
    """
    here = workflow.is_main_process and not workflow.deployment_settings.deployment_method
    if not (CONFIG.fork_jobs and here and sys.platform == "linux"):
        return
    name, program = f"cascadebert-{uuid4()}", str(ROOT / "workflow/forks.py")
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # as Snakemake sets it for a job of one thread
    server = Popen([sys.executable, program, "serve", name], stdin=PIPE, stdout=PIPE, env=one_thread)
    server.stdout.readline()  # it can be asked
    atexit.register(server.communicate)  # closes its input and waits, so that its core-seconds count as this process's
    asks = f'{quote(sys.executable)} -IS {quote(program)} ask {name} "$@"'
    shell.prefix(f"set -euo pipefail; python() {{{{ {asks}; }}}}; ")  # the first as Snakemake has it itself
