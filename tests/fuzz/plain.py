"""One input to one target without a fuzzer's instruments: `python -m tests.fuzz.plain TARGET < INPUT` prints the
seconds of processor time that it took.
"""

from __future__ import annotations

import sys
import time

from tests.fuzz import targets


def main() -> None:
    data = sys.stdin.buffer.read()
    began = time.process_time()
    targets.TARGETS[sys.argv[1]](data)
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
