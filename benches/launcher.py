"""`python -I -S launcher.py REPORT COMMAND…`: run it, and write what it took as JSON to the file descriptor REPORT.

A process begins with the memory of the one that started it, and the kernel counts that: so this one is small, and
imports nothing that it can do without. Its standard input and outputs are the command's. Not here: what runs
(running.py).
"""

import json
import os
import sys
import time


def main() -> None:
    report, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(report, False)
    began = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    took = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory_kib": usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss / 1024,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    os.write(report, json.dumps(took).encode())


if __name__ == "__main__":
    main()
