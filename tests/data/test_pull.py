"""Public sets: downloaded whole or not at all, whatever the connection, the server, the archive or the disk does."""

import errno
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse

import pytest

from xlbias.data.catalog import get_format, load_task, parse_spec
from xlbias.data.public.download import download
from xlbias.data.public.pull import pull, pulled, task_name
from xlbias.data.public.sets import SETS, Download, Hub, PublicSet
from xlbias.data.public.unpack import unpack
from xlbias.errors import TaskError, UsageError, WriteError

pytestmark = pytest.mark.integration


class Server:
    """A server of files, and a hub; what goes wrong is said before: `break_after`, `ranges`, `status`."""

    def __init__(self):
        self.files, self.asked = {}, []
        self.break_after, self.ranges, self.status = [], True, None
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.answer(head=True)

            def do_GET(self):
                self.answer(head=False)

            def answer(self, head):
                path = unquote(urlparse(self.path).path)
                given = self.headers.get("Range")
                served.asked.append((self.command, path, given))
                if served.status:
                    self.send_error(served.status)
                    return
                content = served.files.get(path)
                if content is None:
                    self.send_error(404)
                    return
                tag = '"' + hashlib.sha256(content).hexdigest() + '"'
                start = 0
                if given and served.ranges and self.headers.get("If-Range", tag) == tag:
                    start = int(given.removeprefix("bytes=").partition("-")[0])
                if start and start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.send_header("ETag", tag)
                self.send_header("X-Repo-Commit", "a" * 40)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.end_headers()
                if head:
                    return
                end = start + served.break_after.pop(0) if served.break_after else len(content)
                self.wfile.write(content[start:end])
                if end < len(content):
                    self.close_connection = True

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def get(self, path, to, **more):
        return download(self.url + path, to, wait=0, **more)

    def ranges_asked(self):
        return [given for method, _, given in self.asked if method == "GET"]


@pytest.fixture
def server():
    one = Server()
    yield one
    one.server.shutdown()
    one.server.server_close()


CONTENT = bytes(range(256)) * 4_000
SHA = "sha256:" + hashlib.sha256(CONTENT).hexdigest()

# -- one file ----------------------------------------------------------------------------------------------------------


def test_a_broken_connection_is_gone_on_from_where_it_broke(server, tmp_path):
    server.files["/x"], server.break_after = CONTENT, [1_000, 300_000]
    seen = []
    digest = server.get("/x", tmp_path / "x", checksum=SHA, advance=seen.append)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert f"sha256:{digest}" == SHA
    assert server.ranges_asked() == [None, "bytes=1000-", "bytes=301000-"]
    assert sum(seen) == len(CONTENT)
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []


def test_a_later_call_fetches_the_rest_only(server, tmp_path):
    server.files["/x"], server.break_after = CONTENT, [500_000, 0, 0, 0, 0, 0]
    with pytest.raises(TaskError, match="the connection broke; give the command again to go on where it broke off"):
        server.get("/x", tmp_path / "x")
    assert (tmp_path / "x.part").stat().st_size == 500_000
    assert not (tmp_path / "x").exists()
    server.break_after, server.asked = [], []
    server.get("/x", tmp_path / "x", checksum=SHA)
    assert server.ranges_asked() == ["bytes=500000-"]
    server.asked = []
    server.get("/x", tmp_path / "x", checksum=SHA)  # it is there
    assert server.asked == []


def test_a_file_that_has_changed_in_between_or_a_server_without_ranges_begins_anew(server, tmp_path):
    for change in ("content", "ranges"):
        server.files["/x"], server.ranges, server.break_after = CONTENT, True, [500_000, 0, 0, 0, 0, 0]
        target = tmp_path / change
        with pytest.raises(TaskError):
            server.get("/x", target)
        new = CONTENT[::-1] if change == "content" else CONTENT
        server.files["/x"], server.ranges, server.break_after = new, change == "content", []
        seen = []
        server.get("/x", target, advance=seen.append)
        assert target.read_bytes() == new
        assert sum(seen) == len(new)


def test_a_whole_part_is_not_fetched_again(server, tmp_path):
    server.files["/x"] = CONTENT
    (tmp_path / "x.part").write_bytes(CONTENT)
    server.get("/x", tmp_path / "x", checksum=SHA)
    assert (tmp_path / "x").read_bytes() == CONTENT
    (tmp_path / "y.part").write_bytes(CONTENT + b"more than there is")
    server.get("/x", tmp_path / "y", checksum=SHA)
    assert (tmp_path / "y").read_bytes() == CONTENT


@pytest.mark.parametrize(("kind", "says"), [("sha256", "sha256 [0-9a-f]{12}…, not 000000000000…"), ("md5", "md5 ")])
def test_a_wrong_checksum_leaves_nothing(server, tmp_path, kind, says):
    server.files["/x"] = CONTENT
    with pytest.raises(TaskError, match=f"what arrived is not what is expected \\({says}"):
        server.get("/x", tmp_path / "x", checksum=f"{kind}:{'0' * 64}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, r"is no longer there \(404\); look for a newer version"),
        (403, r"may not be read without the publisher's leave \(403\)"),
        (500, r"the server answers 500 Internal Server Error; try again later"),
    ],
)
def test_what_a_server_refuses_is_said(server, tmp_path, status, says):
    server.status = status
    with pytest.raises(TaskError, match=says):
        server.get("/x", tmp_path / "x")


def test_without_a_network_one_sentence_says_so(tmp_path):
    with pytest.raises(TaskError, match=r"cannot be reached \(.*refused\); a network is needed"):
        download("http://127.0.0.1:9/x", tmp_path / "x", wait=0)


def test_a_full_disk_is_named_and_what_arrived_stays(server, tmp_path, monkeypatch):
    server.files["/x"] = CONTENT
    import xlbias.data.public.download as module

    def full(path):
        file = real(path)
        write = file.write

        class Full(io.BufferedIOBase):
            def write(self, chunk):
                write(chunk[:1_000])
                raise OSError(errno.ENOSPC, "No space left on device")

            def __getattr__(self, name):
                return getattr(file, name)

            def tell(self):
                return file.tell()

            def close(self):
                file.close()

        return Full()

    real = module.append_alone
    monkeypatch.setattr(module, "append_alone", full)
    with pytest.raises(WriteError, match="x: cannot be written: No space left on device"):
        server.get("/x", tmp_path / "x")
    assert not (tmp_path / "x").exists()
    monkeypatch.undo()
    server.asked = []
    server.get("/x", tmp_path / "x", checksum=SHA)
    assert server.ranges_asked() == ["bytes=1000-"]


def test_two_processes_do_not_write_one_file(server, tmp_path):
    from xlbias.files import append_alone

    server.files["/x"] = CONTENT
    with append_alone(tmp_path / "x.part"), pytest.raises(TaskError, match="another process downloads it"):
        server.get("/x", tmp_path / "x")


# -- archives ----------------------------------------------------------------------------------------------------------


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def tarred(path, members, links=()):
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            file.addfile(info)
    return path


@pytest.mark.parametrize("make", [zipped, tarred])
def test_members_are_taken_by_their_names(tmp_path, make):
    archive = make(tmp_path / "a", {"set/corpus.jsonl": b"1", "set/notes.txt": b"2", "set/qrels/test.tsv": b"3"})
    assert unpack(archive, tmp_path / "out", {r"set/(corpus\.jsonl|qrels/\w+\.tsv)": r"\1"}) == 2
    found = {file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert found == {"corpus.jsonl", "qrels/test.tsv"}


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/../../evil", "..\\evil"])
def test_paths_out_of_the_folder_are_refused(tmp_path, make, name):
    archive = make(tmp_path / "a", {name: b"evil"})
    with pytest.raises(TaskError, match=r"holds a path outside its folder .*refused as unsafe"):
        unpack(archive, tmp_path / "in" / "out", {"(.*)": r"\1"})
    assert not list(tmp_path.rglob("*evil"))


def test_links_are_left_out_and_so_is_what_lies_behind_them(tmp_path):
    (tmp_path / "outside").mkdir()
    archive = tarred(tmp_path / "a", {"good": b"1", "link/evil": b"2"}, links=[("link", str(tmp_path / "outside"))])
    unpack(archive, tmp_path / "out", {"(.*)": r"\1"})
    assert not (tmp_path / "outside" / "evil").exists()
    assert not (tmp_path / "out" / "link").is_symlink()


def test_an_archive_that_grows_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("xlbias.data.public.unpack._SMALL", 1_000)
    archive = zipped(tmp_path / "a", {"x": b"\0" * 5_000_000})
    with pytest.raises(TaskError, match="grows to more than 100 times its size"):
        unpack(archive, tmp_path / "out", {"x": "x"})


@pytest.mark.parametrize("content", [b"no archive", b"PK\x03\x04 broken", b"\x1f\x8b broken"])
def test_what_is_no_archive_is_named(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(TaskError, match="cannot be unpacked"):
        unpack(tmp_path / "a", tmp_path, {"x": "x"})
    with pytest.raises(TaskError, match="holds nothing of what is expected"):
        unpack(zipped(tmp_path / "b", {"y": b""}), tmp_path, {"x": "x"})


# -- sets --------------------------------------------------------------------------------------------------------------


def lines(*objects):
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


@pytest.fixture
def small(server, tmp_path):
    """A set of an archive, as BEIR has them."""
    archive = zipped(
        tmp_path / "books.zip",
        {
            "books/corpus.jsonl": lines({"_id": "1", "text": "one"}, {"_id": "2", "text": "two"}),
            "books/queries.jsonl": lines({"_id": "q", "text": "which?"}),
            "books/qrels/test.tsv": b"query-id\tcorpus-id\tscore\nq\t2\t1\n",
        },
    )
    server.files["/books.zip"] = archive.read_bytes()
    members = {r"books/(corpus\.jsonl|queries\.jsonl|qrels/\w+\.tsv)": r"\1"}
    files = (Download(f"{server.url}/books.zip", "books.zip", members=members),)
    return PublicSet("books", "Books", "CC0", "https://x.org", "Nobody", "beir:{}[language=en]", files)


def test_a_set_is_put_in_place_whole_with_source_licence_and_checksums(server, small, tmp_path):
    folder = pull(small, to=tmp_path / "data")
    assert sorted(one.name for one in (tmp_path / "data").iterdir()) == ["books"]
    assert pulled(small, tmp_path / "data") == [folder]
    task = load_task(task_name(small, folder))
    assert task.qrels.rows() == [("q", "2", 1)]
    assert task.licence == "CC0 (https://x.org)"
    digest = hashlib.sha256(server.files["/books.zip"]).hexdigest()
    assert f"- recorded sha256 {digest} " in (folder / "SOURCE.md").read_text()
    server.asked = []
    assert pull(small, to=tmp_path / "data") == folder  # is there
    assert server.asked == []


def test_what_is_not_whole_is_not_there(server, small, tmp_path):
    server.status = 500
    with pytest.raises(TaskError, match="the server answers 500"):
        pull(small, to=tmp_path / "data")
    assert pulled(small, tmp_path / "data") == []
    assert list((tmp_path / "data").iterdir()) == []  # nothing to go on from
    server.status = None
    wrong = replace(small, files=(replace(small.files[0], checksum="md5:" + "0" * 32),))
    with pytest.raises(TaskError, match="what arrived is not what is expected"):
        pull(wrong, to=tmp_path / "data")
    (tmp_path / "data" / "books").mkdir(parents=True)
    with pytest.raises(UsageError, match="is there already, and was not made by `xlbias data pull`"):
        pull(small, to=tmp_path / "data")


def test_languages_are_chosen_among_those_there_are(server, tmp_path):
    server.files |= {"/all": b"all", "/en": b"en", "/de": b"de"}
    files = tuple(
        Download(f"{server.url}/{name}", name, language=name * (name != "all")) for name in ("all", "en", "de")
    )
    one = PublicSet("words", "Words", "CC0", "https://x.org", "Nobody", "pairs:{}", files, languages=("de", "en"))
    folder = pull(one, to=tmp_path, languages=["de"])
    assert folder.name == "words-de"
    assert sorted(file.name for file in folder.iterdir()) == ["SOURCE.md", "all", "de"]
    assert pulled(one, tmp_path) == [folder]
    with pytest.raises(UsageError, match="words has no language 'dee'"):
        pull(one, to=tmp_path, languages=["dee"])
    with pytest.raises(UsageError, match="comes as a whole: leave --languages out"):
        pull(replace(one, languages=()), to=tmp_path, languages=["de"])


@pytest.fixture
def on_hub(server, tmp_path, monkeypatch):
    """A hub that holds one data set in two languages, at one commit."""
    datasets = pytest.importorskip("datasets")
    name, sha = "made/books", "a" * 40
    configs = []
    for language in ("en", "sw"):
        tables = {
            "corpus": {"_id": ["01", "02"], "text": [f"{language} one", f"{language} two"]},
            "queries": {"_id": ["q"], "text": ["which?"]},
            "qrels": {"query-id": ["q"], "corpus-id": ["02"], "score": [1]},
        }
        for kind, rows in tables.items():
            path = f"{language}-{kind}/dev-00000-of-00001.parquet"
            datasets.Dataset.from_dict(rows).to_parquet(tmp_path / "x.parquet")
            server.files[f"/datasets/{name}/resolve/{sha}/{path}"] = (tmp_path / "x.parquet").read_bytes()
            files = [{"split": "dev", "path": f"{language}-{kind}/dev-*"}]
            configs.append({"config_name": f"{language}-{kind}", "data_files": files})
    head = json.dumps({"license": "cc0-1.0", "configs": configs})
    server.files[f"/datasets/{name}/resolve/{sha}/README.md"] = f"---\n{head}\n---\n".encode()
    prefix = f"/datasets/{name}/resolve/{sha}/"
    siblings = [{"rfilename": path.removeprefix(prefix)} for path in server.files if path.startswith(prefix)]
    info = json.dumps({"id": name, "sha": sha, "siblings": siblings, "tags": [], "private": False}).encode()
    server.files |= {f"/api/datasets/{name}": info, f"/api/datasets/{name}/revision/{sha}": info}
    for constant, value in {
        "ENDPOINT": server.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{constant}", value)
    return PublicSet(
        "books", "Books", "CC0", "https://x.org", "Nobody", "hf:{}", hub=Hub(name, sha, "dev"), languages=("en", "sw")
    )


def test_a_set_of_the_hub_is_fetched_at_its_revision(server, on_hub, tmp_path):
    folder = pull(on_hub, to=tmp_path / "data", languages=["sw"])
    assert load_task(task_name(on_hub, folder)).pool_sizes == {"sw": 2}
    assert "en-corpus" not in {one.name for one in folder.iterdir()}
    assert f"at {'a' * 40}" in (folder / "SOURCE.md").read_text()
    assert not (folder / ".cache").exists()
    server.status = 404
    with pytest.raises(TaskError, match="there is no such data set, revision or file on the hub"):
        pull(on_hub, to=tmp_path / "data")


def test_a_name_of_the_hub_is_read_and_afterwards_without_it(server, on_hub):
    task = load_task(f"hf:{on_hub.hub.name}[subsets=sw]")
    assert task.pool_sizes == {"sw": 2}
    assert (task.licence, task.source) == ("cc0-1.0", "huggingface.co/datasets/made/books at aaaaaaaaaaaa")
    server.server.shutdown()
    server.server.server_close()
    assert load_task(f"hf:{on_hub.hub.name}[subsets=sw]").fingerprint == task.fingerprint


def test_the_registry_names_what_can_be_fetched_and_read():
    names = [one.name for one in SETS]
    assert len(set(names)) == len(names)
    for one in SETS:
        spec = parse_spec(one.task.format("DIR"))
        known = {option.name for option in get_format(spec.format).options}
        assert set(spec.options) <= known
        assert one.licence_url.startswith("https://")
        assert bool(one.files) != bool(one.hub)
        for file in one.files:
            kind, _, digest = file.checksum.partition(":")
            assert file.url.startswith("https://")
            assert len(digest) == {"": 0, "md5": 32, "sha256": 64}[kind]
            assert file.language == "" or file.language in one.languages
        if one.hub:
            assert len(one.hub.revision) == 40


def test_known_checksums_are_those_of_the_files(shared_data):
    """The shared files are those at the commits that the registry names."""
    checked = 0
    for one in SETS:
        for file in one.files:
            local = shared_data / one.name / file.path
            if local.exists():
                digest = hashlib.sha256(local.read_bytes()).hexdigest()
                assert (file.checksum, file.size) == (f"sha256:{digest}", local.stat().st_size)
                checked += 1
    assert checked == 31
