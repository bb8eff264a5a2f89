"""The default broker's folder: each message whole, and taken by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kombu import Connection

MESSAGES = 400

READER = """
import sys
from kombu import Connection
url, folder, out = "filesystem://localhost", sys.argv[1], open(sys.argv[2], "w")
options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control"}
with Connection(url, transport="backports.runtime.folder_queue:Transport", transport_options=options) as connection:
    queue = connection.SimpleQueue("q")
    while True:
        message = queue.get(timeout=30)
        message.ack()
        if message.payload == "stop":
            break
        out.write(f"{message.payload['n']} {len(message.payload['body'])}\\n")
"""


def test_two_readers_get_every_message_once_and_whole_while_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    (folder / "control").mkdir(parents=True)
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder / "control"}
    outs = [tmp_path / "one", tmp_path / "two"]
    readers = [subprocess.Popen([sys.executable, "-c", READER, str(folder), str(out)]) for out in outs]
    transport = "backports.runtime.folder_queue:Transport"
    with Connection("filesystem://localhost", transport=transport, transport_options=options) as connection:
        queue = connection.SimpleQueue("q")
        for number in range(MESSAGES):
            queue.put({"n": number, "body": "x" * 20_000})
        for _ in readers:
            queue.put("stop")
    assert [reader.wait(60) for reader in readers] == [0, 0]
    got = [line.split() for out in outs for line in out.read_text().splitlines()]
    assert sorted(int(number) for number, _ in got) == list(range(MESSAGES))
    assert {size for _, size in got} == {"20000"}
    assert [path.name for path in folder.iterdir()] == ["control"], "nothing is left behind"
