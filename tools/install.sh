#!/bin/sh
# Makes .venv from requirements.lock: every file is checked against its hash. Uses uv when it can be had, else plain pip.
set -eu
cd "$(dirname "$0")/.."
python=""
for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then python=$candidate; break; fi
done
[ -n "$python" ] || { echo "OneStory needs Python 3.11, 3.12 or 3.13; none was found (set PYTHON=/path/to/it)" >&2; exit 1; }
echo "installing with $("$python" --version) (about ten seconds with a warm package cache)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
uv_lock=$(mktemp); trap 'rm -f "$uv_lock"' EXIT
awk '/^uv==/ {on = 1} on {print} on && !/\\$/ {exit}' requirements.lock > "$uv_lock"
pip="$PWD/.venv/bin/python -m pip install -q --disable-pip-version-check"
[ -x .venv/bin/uv ] || $pip --require-hashes -r "$uv_lock" || true
if .venv/bin/uv pip sync -q --python .venv/bin/python --require-hashes requirements.lock; then
  .venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
else
  echo "uv could not reach the package index; using pip, which takes a few minutes" >&2
  $pip --require-hashes -r requirements.lock
  $pip --no-deps --no-build-isolation -e .
fi
touch .venv/installed
