"""A model hub on the loopback interface, for tests and for trying the paper's scale without a network.

    python tests/mirror.py FOLDER --build       make the repositories that config/paper.yaml names, with random weights
    python tests/mirror.py FOLDER               serve them until interrupted

It speaks what huggingface_hub asks of a hub: what a repository is and at which commit, its tree, and its files, the
large ones by a redirect to another origin, as the hub does. A repository is FOLDER/models/OWNER/NAME or
FOLDER/datasets/OWNER/NAME; a folder NAME@REVISION beside it is a branch or tag of it. A commit is a digest of files.

It also takes models from whoever has a token: all files inside of the commit, none by way of the store of large ones.
"""

import argparse
import base64
import collections
import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".bin", ".parquet")
"""Endings of files that the hub keeps outside git."""

MOVED = {"bert-base-uncased": "google-bert/bert-base-uncased", "roberta-base": "FacebookAI/roberta-base"}
"""Old names that the hub still answers to, by redirects."""

PAGES = re.compile(
    r"/api/(?P<kind>models|datasets)/(?P<repository>[^/]+(?:/(?!revision/|tree/)[^/]+)?)"
    r"(?:/(?P<page>revision|tree)/(?P<revision>[^/]+))?"
)
UPLOADS = re.compile(r"/api/models/(?P<repository>[^/]+/[^/]+)/(?P<page>preupload|commit)/main")
FILES = re.compile(r"(?:/(?P<kind>datasets))?/(?P<repository>.+?)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


@functools.cache
def _digests(path: Path, size: int, changed: int) -> tuple[str, str]:
    """Git's digest of a file, and its SHA-256."""
    git, plain = hashlib.sha1(b"blob %d\0" % size), hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            git.update(chunk)
            plain.update(chunk)
    return git.hexdigest(), plain.hexdigest()


def digests(path: Path) -> tuple[str, str]:
    """The same, computed once for each state of the file."""
    stat = path.stat()
    return _digests(path, stat.st_size, stat.st_mtime_ns)


def tree(folder: Path) -> dict[str, Path]:
    """Files of a repository by their names in it."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def commit_of(folder: Path) -> str:
    """Forty digits that stand for the files."""
    return hashlib.sha1(json.dumps([(n, digests(p)[1]) for n, p in tree(folder).items()]).encode()).hexdigest()


@dataclass
class Fault:
    """What goes wrong with requests of a path.

    Attributes:
        path: regular expression that the whole of the path matches.
        what: an HTTP status, or gated, truncated (half of the body), corrupt (other bytes, as many).
        method: that it goes wrong with, or any.
        times: how often it still does.
    """

    path: str
    what: int | str
    method: str = ""
    times: float = float("inf")


@dataclass
class Mirror:
    """A folder of repositories, served from a thread of this process.

    Attributes:
        folder: with models/ and datasets/.
        port: 0 for any that is free.
        faults: what goes wrong; the first that fits a request.
        requests: method and path of every request so far.
    """

    folder: Path
    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Bind the port."""
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"mirror": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    @property
    def endpoint(self) -> str:
        """Value of HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Answer until `stop` or an interrupt."""
        self._server.serve_forever(0.05)

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()

    def folder_of(self, kind: str, repository: str) -> Path:
        """Where a repository lies."""
        return self.folder / kind / repository

    def revision(self, kind: str, repository: str, revision: str) -> Path | None:
        """Folder of a branch, a tag or a commit; None if there is none such."""
        main = self.folder_of(kind, repository)
        held = {"main": main} | {path.name.partition("@")[2]: path for path in main.parent.glob(f"{main.name}@*")}
        return held.get(revision) or next((path for path in held.values() if commit_of(path) == revision), None)

    def fault(self, method: str, path: str) -> int | str | None:
        """Note a request; what is to go wrong with it."""
        with self._lock:
            self.requests.append((method, path))
            for fault in self.faults:
                if fault.times > 0 and fault.method in ("", method) and re.fullmatch(fault.path, path):
                    fault.times -= 1
                    return fault.what
        return None


@contextlib.contextmanager
def mirrored(folder: Path) -> Iterator[Mirror]:
    """A mirror that answers while the block runs."""
    mirror = Mirror(folder)
    thread = threading.Thread(target=mirror.serve, daemon=True)
    thread.start()
    try:
        yield mirror
    finally:
        mirror.stop()
        thread.join()


def environment(home: Path, endpoint: str, **more: str) -> dict[str, str]:
    """Of a process that takes the mirror for the hub and has a cache of its own.

    huggingface_hub reads its environment once, so each environment is a process of its own.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    scripts = str(Path(__file__).parents[1] / "workflow/scripts")
    return plain | {"HF_HOME": str(home), "HF_ENDPOINT": endpoint, "PYTHONPATH": scripts} | more


class _Handler(BaseHTTPRequestHandler):
    mirror: Mirror
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Headers alone."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer one request."""
        path = unquote(urlsplit(self.path).path)
        fault = self.mirror.fault(self.command, path)
        if fault == "gated":
            self._refuse(401, "GatedRepo", "Access to this repository is restricted")
        elif isinstance(fault, int):
            self._refuse(fault, "", "as the test wants it")
        elif found := re.fullmatch(r"/lfs/(\w+)/(.+)", path):
            self._send(self.mirror.folder / found[2], fault)
        elif found := PAGES.fullmatch(path):
            self._page(path, **found.groupdict())
        elif found := FILES.fullmatch(path):
            self._resolve(path, fault, **found.groupdict())
        else:
            self._refuse(404, "", "no such page")

    def do_POST(self) -> None:
        """Take part of an upload."""
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.mirror.fault(self.command, path)
        if not self.headers.get("Authorization"):
            self._refuse(401, "", "Invalid username or password.")
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            folder = self.mirror.folder_of("models", name)
            status = 409 if folder.is_dir() else 200
            folder.mkdir(parents=True, exist_ok=True)
            self._json({"url": f"{self.mirror.endpoint}/{name}"}, status)
        elif path == "/api/validate-yaml":
            self._json({"warnings": [], "errors": []})
        elif asked := UPLOADS.fullmatch(path):
            self._take(body, **asked.groupdict())
        else:
            self._refuse(404, "", "no such page")

    def _take(self, body: bytes, repository: str, page: str) -> None:
        """Say how files are to be uploaded, or make a commit of them; the commit before it stays a revision."""
        folder = self.mirror.folder_of("models", repository)
        if page == "preupload":
            names = [file["path"] for file in json.loads(body)["files"]]
            self._json({"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]})
            return
        if tree(folder):
            shutil.copytree(folder, folder.with_name(f"{folder.name}@{commit_of(folder)}"), dirs_exist_ok=True)
        for line in body.splitlines():
            change = json.loads(line)
            if change["key"] == "file":
                file = folder / change["value"]["path"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(base64.b64decode(change["value"]["content"]))
            elif change["key"] == "deletedFile":
                (folder / change["value"]["path"]).unlink()
        commit = commit_of(folder)
        self._json({"commitUrl": f"{self.mirror.endpoint}/{repository}/commit/{commit}", "commitOid": commit})

    def _find(self, path: str, kind: str, repository: str, revision: str) -> Path | None:
        """Folder of a revision; where there is none, that is the answer."""
        if repository in MOVED and kind == "models":
            self._answer(307, {"Location": path.replace(repository, MOVED[repository], 1)})
        elif not self.mirror.folder_of(kind, repository).is_dir():
            self._refuse(404, "RepoNotFound", "Repository not found")
        elif folder := self.mirror.revision(kind, repository, revision):
            return folder
        else:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return None

    def _page(self, path: str, kind: str, repository: str, page: str | None, revision: str | None) -> None:
        """What a repository is, or its tree."""
        folder = self._find(path, kind, repository, revision or "main")
        if folder is None:
            return
        if page != "tree":
            about = {"id": repository, "sha": commit_of(folder), "private": False, "tags": [], "downloads": 0}
            self._json(about | {"siblings": [{"rfilename": name} for name in tree(folder)]})
            return
        entries = []
        for name, file in tree(folder).items():
            git, plain = digests(file)
            large = {"lfs": {"oid": plain, "size": file.stat().st_size, "pointerSize": 134}}
            entry = {"type": "file", "path": name, "size": file.stat().st_size, "oid": git}
            entries.append(entry | (large if name.endswith(LARGE) else {}))
        self._json(entries)

    def _resolve(
        self, path: str, fault: int | str | None, kind: str | None, repository: str, revision: str, file: str
    ) -> None:
        """A file, or where it lies."""
        folder = self._find(path, kind or "models", repository, revision)
        if folder is None:
            return
        if file not in tree(folder):
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        git, plain = digests(folder / file)
        headers = {"X-Repo-Commit": commit_of(folder)}
        if not file.endswith(LARGE):
            self._send(folder / file, fault, headers | {"ETag": f'"{git}"'})
            return
        where = f"http://localhost:{self.mirror.port}/lfs/{plain}/{(folder / file).relative_to(self.mirror.folder)}"
        size = str((folder / file).stat().st_size)
        self._answer(302, headers | {"Location": where, "X-Linked-ETag": f'"{plain}"', "X-Linked-Size": size})

    def _send(self, file: Path, fault: int | str | None, headers: dict[str, str] | None = None) -> None:
        """A file's bytes, from where a Range header wants them."""
        size = file.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        headers = (headers or {}) | {"Content-Length": str(size - start)}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self._head(206 if wanted else 200, headers)
        if self.command == "HEAD":
            return
        end = start + (size - start) // 2 if fault == "truncated" else size
        with file.open("rb") as content:
            content.seek(start)
            while chunk := content.read(min(2**20, end - content.tell())):
                self.wfile.write(bytes(255 - byte for byte in chunk) if fault == "corrupt" else chunk)
        self.close_connection = self.close_connection or fault == "truncated"

    def _json(self, content: object, status: int = 200) -> None:
        self._answer(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._answer(status, {"X-Error-Code": code, "X-Error-Message": message} if code else {})

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self._head(status, headers | {"Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


# --- repositories of the paper's names --------------------------------------------------------------------------------

SPLITS = {"mnli": ("train", "validation_matched", "validation_mismatched", "test_matched", "test_mismatched")}
"""Of the glue data set; the other tasks have train, validation and test."""

Frames = dict[str, dict[str, "pd.DataFrame"]]  # noqa: F821
"""Rows in the schema of the glue data set, by task and split."""


def build(folder: Path, hidden: int = 768, vocabulary: int = 0, rows: int = 0, glue: Path | None = None) -> None:
    """Make what the paper's config names: BERTs and a RoBERTa with random weights, and nyu-mll/glue.

    Args:
        folder: of a mirror.
        hidden: size of the checkpoints; 768 is the true one. The miniatures have 128 at most.
        vocabulary: entries of a tokenizer; 0 for as many as BERT and RoBERTa have.
        rows: of a split at most; 0 for all that there are, or 400 where they are made up.
        glue: folder with a folder of .jsonl files for each task; rows of what it lacks are made up.
    """
    frames = glue_frames(glue, rows)
    write_glue(folder / "datasets/nyu-mll/glue", frames)
    texts = [text for splits in frames.values() for text in splits["train"].iloc[:2000, 0]]
    models = folder / "models"
    for layers in (2, 4, 6, 8, 10, 12):
        write_bert(models / f"google/bert_uncased_L-{layers}_H-768_A-12", layers, hidden, vocabulary or 30522, texts)
    for layers in (2, 4, 6, 8, 10, 12):
        name = f"google/bert_uncased_L-{layers}_H-128_A-2"
        write_bert(models / name, layers, min(hidden, 128), vocabulary or 30522, texts)
    write_bert(models / MOVED["bert-base-uncased"], 12, hidden, vocabulary or 30522, texts, old=False)
    write_roberta(models / MOVED["roberta-base"], 12, hidden, vocabulary or 50265, texts)


def write_bert(folder: Path, layers: int, hidden: int, vocabulary: int, texts: list[str], old: bool = True) -> None:
    """A BERT as it came out of its pre-training, with that one's heads.

    Args:
        folder: of the repository.
        layers: depth.
        hidden: size.
        vocabulary: word pieces.
        texts: whose words are among them.
        old: as Turc et al.'s checkpoints are (no model_type, a pickle, vocab.txt alone), not as bert-base-uncased is.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertForPreTraining, BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    words = collections.Counter(word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower()))
    characters = sorted({character for word in words for character in word})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters)]
    pieces = list(dict.fromkeys([*pieces, *(word for word, _ in words.most_common())]))[:vocabulary]
    pieces += [f"[unused{i}]" for i in range(vocabulary - len(pieces))]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    config = BertConfig(vocab_size=vocabulary, num_hidden_layers=layers, **_widths(hidden))
    about = config.to_dict() if not old else {k: config.to_dict()[k] for k in (*_widths(hidden), "vocab_size")}
    about |= {"num_hidden_layers": layers}
    (folder / "config.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")
    torch.manual_seed(layers)
    tensors = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in BertForPreTraining(config).state_dict().items()
    }
    if old:
        torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
        return
    del tensors["cls.predictions.decoder.weight"], tensors["cls.predictions.decoder.bias"]  # tied
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}\n')
    BertTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))


def write_roberta(folder: Path, layers: int, hidden: int, vocabulary: int, texts: list[str]) -> None:
    """A RoBERTa as it came out of its pre-training, with its head; the arguments are those of `write_bert`."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaForMaskedLM, RobertaTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tool = ByteLevelBPETokenizer()
    tool.train_from_iterator(texts, vocab_size=vocabulary - 1, show_progress=False, special_tokens=special)
    tool.save_model(str(folder))
    entries = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    entries |= {f"madeupword{i:04}": i for i in range(len(entries), vocabulary - 1)} | {"<mask>": vocabulary - 1}
    (folder / "vocab.json").write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    RobertaTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
    widths = _widths(hidden) | {"max_position_embeddings": 514, "type_vocab_size": 1}
    config = RobertaConfig(vocab_size=vocabulary, num_hidden_layers=layers, layer_norm_eps=1e-5, **widths)
    (folder / "config.json").write_text(json.dumps(config.to_dict(), indent=2, sort_keys=True) + "\n")
    torch.manual_seed(layers)
    tensors = RobertaForMaskedLM(config).state_dict()
    del tensors["lm_head.decoder.weight"], tensors["lm_head.decoder.bias"]  # tied
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def _widths(hidden: int) -> dict[str, int | float | str]:
    """Keys of a configuration of some hidden size, as the older files have them."""
    return {
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": 4 * hidden,
        "max_position_embeddings": 512,
        "num_attention_heads": max(1, hidden // 64),
        "type_vocab_size": 2,
    }


def glue_frames(glue: Path | None = None, rows: int = 0) -> Frames:
    """The six tasks of the paper, from files or made up; see `build`."""
    import pandas as pd

    from cascadebert.data.sources import read_source
    from cascadebert.glue import GLUE

    found = {}
    for task, about in GLUE.items():
        splits = SPLITS.get(task, ("train", "validation", "test"))
        made_up = max(40, rows or 400)
        toy = read_source({"source": {"toy": made_up * len(splits), "pairs": len(about.columns) == 2}})["train"]
        found[task] = {}
        for i, split in enumerate(splits):
            if glue and (file := glue / task / f"{split}.jsonl").is_file():
                lines = file.read_text(encoding="utf-8").splitlines()
                frame = pd.DataFrame([json.loads(line) for line in lines[: rows or None]])
            else:
                some = toy.iloc[i * made_up :].head(rows or made_up).reset_index(drop=True)
                texts = (some[column] for column in ("text", "text_pair") if column in some)
                frame = pd.DataFrame(dict(zip(about.columns, texts, strict=True)))
                known = GLUE["mnli"].labels if len(about.columns) == 2 else about.labels
                frame["label"] = [min(known.index(name), len(about.labels) - 1) for name in some["label"]]
            frame["idx"] = range(len(frame))
            found[task][split] = frame.assign(label=-1) if split.startswith("test") else frame
    return found


def write_glue(folder: Path, frames: Frames) -> None:
    """The glue data set's files: parquet for each split of each task, and the card that says which they are."""
    import yaml

    configurations = []
    for task, splits in frames.items():
        (folder / task).mkdir(parents=True, exist_ok=True)
        for split, frame in splits.items():
            frame.to_parquet(folder / task / f"{split}-00000-of-00001.parquet", index=False)
        listed = [{"split": split, "path": f"{task}/{split}-*"} for split in splits]
        configurations.append({"config_name": task, "data_files": listed})
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': configurations})}---\n")


def main() -> None:
    """Build or serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the repositories")
    parser.add_argument("--port", type=int, default=0, help="to serve at; any that is free if not given")
    parser.add_argument("--build", action="store_true", help="make the repositories, and serve nothing")
    parser.add_argument("--glue", type=Path, help="folder of GLUE as .jsonl; what it lacks is made up")
    parser.add_argument("--rows", type=int, default=0, help="of a split at most")
    parser.add_argument("--hidden", type=int, default=768, help="size of the checkpoints")
    asked = parser.parse_args()
    if asked.build:
        sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))
        build(asked.folder, asked.hidden, rows=asked.rows, glue=asked.glue)
        return
    mirror = Mirror(asked.folder, asked.port)
    print(f"export HF_ENDPOINT={mirror.endpoint}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        mirror.serve()


if __name__ == "__main__":
    main()
