"""One distribution file from the package index, accepted only if its digest is the pinned one."""

import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import tyro

from cascadebert.files import atomic
from cascadebert.layouts import Problem


def main(package: str, version: str, sha256: str, out: Path) -> None:
    """Download a distribution through pip, without its dependencies.

    pip prepares a source distribution's metadata, which runs code of it: the digest is checked before that
    (--require-hashes). Nothing is installed. Of what pip says a download is shown, and where it fails all.

    Args:
        package: name on the index.
        version: exact version.
        sha256: of the file.
        out: the file, a zip archive whether wheel or source distribution.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{package}=={version} --hash=sha256:{sha256}\n")
        if find_spec("pip") is None:
            raise Problem(f"pip is needed to fetch {package}, and {sys.executable} has none: python -m ensurepip.")
        pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        whole = [*pip, "--requirement", requirements, "--dest", Path(folder, "found")]
        with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
            said = []
            for line in running.stdout or ():
                said.append(line)
                if "Downloading" in line:
                    print(line.strip(), flush=True)
        if running.returncode:
            sys.stdout.writelines(said)
            raise Problem(
                f"{package}=={version} with sha256 {sha256} is not to be had from the package index: see pip above."
            )
        (fetched,) = Path(folder, "found").iterdir()
        if not zipfile.is_zipfile(fetched):
            raise Problem(f"{fetched.name} is not a zip archive: pin a wheel, or a source distribution that is a .zip.")
        with atomic(out) as temporary:
            temporary.write_bytes(fetched.read_bytes())


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
