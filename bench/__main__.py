"""All tables of the hub's speed, one after the other, in some ten minutes.

Fairness and soak are not among them, since they take as long again.

python -m bench [--quick]
"""

import argparse
import os
import subprocess
import sys

TABLES = (
    ("bench.fanout", "--subscribers", "1000,10000,100000"),
    ("bench.fanout", "--subscribers", "10000", "--workers", "2"),
    ("bench.door",),
    ("bench.long_tail",),
    ("bench.long_tail", "--workers", "2"),
    ("bench.latency",),
    ("bench.pings",),
    ("bench.handshakes",),
    ("bench.readers",),
)
QUICK = (
    ("bench.fanout", "--subscribers", "1000,10000", "--rounds", "2"),
    ("bench.door", "--rounds", "3"),
    ("bench.long_tail", "--topics", "2000", "--rounds", "2"),
    ("bench.latency", "--pings", "100"),
    ("bench.pings", "--rounds", "1"),
    ("bench.handshakes", "--subscriptions", "3000", "--rounds", "2"),
    ("bench.readers", "--readers", "1000", "--events", "10", "--polls", "200"),
)
WITHIN_S = 600


def main() -> None:
    """Prints each; ends with 1 where one could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller, in two minutes")
    tables = QUICK if parser.parse_args().quick else TABLES
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, appendfsync always")
    failed = 0
    for module, *options in tables:
        print(f"\n$ python -m {' '.join([module, *options])}", flush=True)
        command = [sys.executable, "-m", module, *options]
        try:
            failed += subprocess.run(command, timeout=WITHIN_S, check=False).returncode != 0
        except subprocess.TimeoutExpired:
            print(f"not done within {WITHIN_S} s", flush=True)
            failed += 1
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
