#!/usr/bin/env bash
# The wheel as a user gets it: built by pip, the files in it are the expected ones, and installed into a
# clean virtual environment it runs a tiny campaign from outside the source tree.
#   tests/package/test_wheel.sh PYTHON [WHEEL]   PYTHON has onnxruntime (the build tree's .venv); WHEEL is
#                                                tested instead of building one
# Ends with 77 (skipped) unless MUTATENN_SLOW_TESTS=1.
set -euo pipefail
[ "${MUTATENN_SLOW_TESTS:-}" = 1 ] || { echo "skipped: MUTATENN_SLOW_TESTS is not 1"; exit 77; }
source_folder=$(cd "$(dirname "$0")/../.." && pwd)
python=$(realpath -s "$1")
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-2} PIP_DISABLE_PIP_VERSION_CHECK=1
# Nothing of the caller's environment may help the installed program to find its parts.
unset PYTHONPATH LD_LIBRARY_PATH $(compgen -e MUTATENN_ || true)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "test_wheel: $*" >&2; exit 1; }

"$python" -m venv "$scratch/venv"
wheel=${2:-}
[ -n "$wheel" ] || "$scratch/venv/bin/python" -m pip wheel -q --no-deps --wheel-dir "$scratch/wheels" "$source_folder"
[ -n "$wheel" ] || wheel=$(echo "$scratch"/wheels/mutatenn-*-py3-none-*.whl)
[ -f "$wheel" ] || fail "pip made no wheel mutatenn-*-py3-none-*.whl: $wheel"

diff - <("$python" -m zipfile -l "$wheel" | awk 'NR > 1 {print $1}' | sed 's/-[0-9.]*dist-info/.dist-info/' | LC_ALL=C sort) \
  <<'FILES' || fail "the wheel's files are not the expected ones (< expected, > found)"
mutatenn.dist-info/METADATA
mutatenn.dist-info/RECORD
mutatenn.dist-info/WHEEL
mutatenn.dist-info/entry_points.txt
mutatenn/__init__.py
mutatenn/__main__.py
mutatenn/bin/libmutatenn_opencl.so
mutatenn/bin/mutatenn
mutatenn/bin/mutatenn-backtrace.so
mutatenn/bin/mutatenn-worker
mutatenn/frontend.py
mutatenn/gpu_schedules.py
mutatenn/library.py
mutatenn/network.py
mutatenn/onnx_converters.py
mutatenn/onnx_import.py
mutatenn/operators.py
mutatenn/script.py
mutatenn/script_template.py
FILES

"$scratch/venv/bin/python" -m pip install -q "$wheel"
"$python" "$source_folder/tests/support/make_tiny.py" "$scratch/tiny"
cd "$scratch"
mutatenn=$scratch/venv/bin/mutatenn
"$mutatenn" operators | grep -q code.relation || fail "'mutatenn operators' does not name code.relation"
"$mutatenn" run tiny/campaign.json --out out --quiet || fail "'mutatenn run' ended with $?"
"$mutatenn" report out --json report.json --quiet || fail "'mutatenn report' ended with $?"
"$python" - report.json <<'PYTHON' || fail "the report lacks judged mutants"
import json, sys

counts = json.load(open(sys.argv[1]))["models"][0]["scores"]["overall"]["counts"]
print("test_wheel:", counts)
sys.exit(counts["killed"] == 0 or counts["pending"] != 0)
PYTHON
echo "test_wheel: passed"
