from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from backports.runtime import account, embedded, place, postgres, processes, provision
from backports.runtime.errors import PlatformError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="what only root meets")


def _ask(data: Path, sql: str, user: str = "backports_owner") -> list[tuple[object, ...]]:
    values = embedded.connection(data)
    session = psycopg2.connect(host=values["HOST"], port=values["PORT"], user=user, dbname="backports")
    try:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        session.close()


def _postmaster(data: Path) -> int:
    found = postgres.read_postmaster(place.open_place(data)[0].data)
    assert found is not None
    return found.pid


def test_two_users_share_one_server_and_the_last_one_out_stops_it(open_folder: Path) -> None:
    data = open_folder / "data"
    first, second = embedded.Use(data, durable=False), embedded.Use(data, durable=False)
    first.begin()
    pid = _postmaster(data)
    second.begin()
    assert _postmaster(data) == pid
    assert not first.end()
    assert _ask(data, "SELECT 1") == [(1,)]
    assert second.end(wait=20) or first.end(wait=20)
    assert not processes.is_alive(pid)


def test_a_killed_server_comes_back_with_what_was_committed(open_folder: Path) -> None:
    data = open_folder / "data"
    with embedded.ensure_running(data, wait=20):
        _ask(data, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')")
        pid = _postmaster(data)
        os.kill(pid, signal.SIGKILL)
        assert processes.wait_until(lambda: _comes_back(data, pid), 30)
        assert _ask(data, "SELECT word FROM kept") == [("still here",)]


def _comes_back(data: Path, old: int) -> bool:
    try:
        _ask(data, "SELECT 1")
    except psycopg2.OperationalError:
        return False
    return _postmaster(data) != old


def test_a_killed_keeper_takes_the_server_along_and_is_replaced(open_folder: Path) -> None:
    data = open_folder / "data"
    use = embedded.Use(data, durable=False)
    use.begin()
    pid = _postmaster(data)
    assert use._guardian is not None
    use._guardian.kill()
    assert processes.wait_until(lambda: not processes.is_alive(pid), 20)
    assert not use.is_kept()
    use.revive()
    assert _ask(data, "SELECT 1") == [(1,)]
    assert use.end(wait=20)


def test_a_killed_user_leaves_no_server_behind(open_folder: Path) -> None:
    data = open_folder / "data"
    program = (
        "import sys, time, pathlib; from backports.runtime import embedded\n"
        "embedded.Use(pathlib.Path(sys.argv[1]), durable=False).begin()\n"
        "print('up', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen([sys.executable, "-c", program, str(data)], stdout=subprocess.PIPE, cwd=embedded.CODE_DIR)
    assert user.stdout and user.stdout.readline() == b"up\n"
    pid = _postmaster(data)
    user.kill()
    user.wait()
    user.stdout.close()
    assert processes.wait_until(lambda: not processes.is_alive(pid), 20)


def test_a_lock_file_with_the_number_of_another_process_does_not_hinder(open_folder: Path) -> None:
    data = open_folder / "data"
    with embedded.ensure_running(data, durable=False, wait=20):
        where = place.open_place(data)[0]
    (where.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{where.data}\n0\n5432\n{where.socket}\n\n  0 0\nready\n"
    )
    with embedded.ensure_running(data, durable=False, wait=20):
        assert _ask(data, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("name", ["with a space", "long-" + "x" * 120, "comma,and'quote\""])
def test_odd_and_long_folders(open_folder: Path, name: str) -> None:
    data = open_folder / name / "data"
    data.parent.mkdir(mode=0o755)
    with embedded.ensure_running(data, durable=False, wait=20) as values:
        socket = Path(values["HOST"])
        assert len(os.fsencode(socket)) <= 93
        assert _ask(data, "SELECT current_user", "backports_app") == [("backports_app",)]
    if not socket.is_relative_to(open_folder):
        shutil.rmtree(socket.parent if os.geteuid() == 0 else socket)


def test_provisioning_again_changes_nothing(open_folder: Path) -> None:
    data = open_folder / "data"
    for _ in range(2):
        with embedded.ensure_running(data, durable=False, wait=20):
            rows = _ask(data, "SELECT datname, datacl::text FROM pg_database WHERE datname = 'backports'")
            assert rows == [("backports", "{backports_owner=CTc/backports_owner,backports_app=c/backports_owner}")]
    assert "PASSWORD" not in provision.SQL


def test_no_tcp_and_no_row_in_the_log(open_folder: Path) -> None:
    data = open_folder / "data"
    with embedded.ensure_running(data, durable=False, wait=20):
        assert _ask(data, "SHOW listen_addresses") == [("",)]
        _ask(data, "CREATE TABLE t (word text PRIMARY KEY); INSERT INTO t VALUES ('embargoed words')")
        with pytest.raises(psycopg2.IntegrityError):
            _ask(data, "INSERT INTO t VALUES ('embargoed words')")
    log = (data / "log" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "embargoed words" not in log


def test_folders_that_were_there_keep_mode_and_owner(open_folder: Path) -> None:
    data = open_folder / "given" / "data"
    data.mkdir(parents=True)
    for folder, mode in ((open_folder, 0o711), (data.parent, 0o751), (data, 0o2715)):
        folder.chmod(mode)
    before = [(f.stat().st_mode, f.stat().st_uid, f.stat().st_gid) for f in (open_folder, data.parent, data)]
    with embedded.ensure_running(data, durable=False, wait=20) as values:
        assert Path(values["HOST"]).stat().st_mode & 0o777 == 0o700
    assert [(f.stat().st_mode, f.stat().st_uid, f.stat().st_gid) for f in (open_folder, data.parent, data)] == before


@AS_ROOT
def test_root_with_a_closed_checkout_keeps_the_database_elsewhere(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ELSEWHERE", open_folder / "elsewhere")
    # Programs that no other account may run, as in a virtual environment below /root.
    reachable = place.is_reachable
    monkeypatch.setattr(place, "is_reachable", lambda path: path.name != "postgres" and reachable(path))
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    where, note = place.open_place(closed / "var")
    assert where.home.is_relative_to(open_folder / "elsewhere")
    assert where.account is not None
    assert note.startswith(f"The account {account.ACCOUNT_NAME} cannot reach {closed / 'var'}")
    major, folder = place.programs(where)
    assert folder.is_relative_to(open_folder / "elsewhere")
    server = postgres.Server(where, folder, major, durable=False)
    server.make_cluster()
    postgres.stop(server.start(open_folder / "postgres.log"))
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@AS_ROOT
def test_a_data_folder_made_anew_does_not_meet_the_old_rows(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "ELSEWHERE", open_folder / "elsewhere")
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    first, _ = place.open_place(closed)
    (first.home / "data").mkdir()
    (closed / "postgres.elsewhere").unlink()
    second, note = place.open_place(closed)
    assert second.home == first.home
    assert not (second.home / "data").exists()
    assert "set aside" in note


@AS_ROOT
def test_a_server_of_an_ordinary_user_keeps_its_owner_under_root(open_folder: Path) -> None:
    home = open_folder / "postgres"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    where, _ = place.open_place(open_folder)
    assert where.account is not None
    assert where.account.uid == 65534


def test_a_home_that_is_no_private_folder_is_refused(open_folder: Path) -> None:
    (open_folder / "postgres").mkdir(mode=0o755)
    (open_folder / "postgres").chmod(0o755)
    with pytest.raises(PlatformError) as caught:
        place.open_place(open_folder)
    assert caught.value.code == "folder-not-private"


def test_a_data_folder_that_cannot_be_made(open_folder: Path) -> None:
    (open_folder / "file").write_text("")
    with pytest.raises(PlatformError) as caught:
        place.prepare_base(open_folder / "file" / "data")
    assert caught.value.code == "data-not-writable"
    assert "DATA=" in caught.value.sentence
