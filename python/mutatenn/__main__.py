"""The `mutatenn` command of the wheel: becomes the C++ program, telling it which Python to use."""

import os
import sys


def main():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "mutatenn")
    os.environ.setdefault("MUTATENN_PYTHON", sys.executable)
    try:
        os.execv(program, [program, *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"mutatenn: cannot run {program}: {error.strerror}; install the package again")


if __name__ == "__main__":
    main()
