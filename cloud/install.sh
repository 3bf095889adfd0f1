#!/bin/sh
# The steps by which the image gets its packages, so that they can be run without Docker too (.ci/package does).
#
#   cloud/install.sh packages LOCK    all packages of a lock (cloud/cpu.lock, cloud/gpu.lock), checked by their hashes
#   cloud/install.sh wheel FOLDER     avinst's wheel into the folder, built from the sources here
#   cloud/install.sh avinst WHEEL     avinst itself; it brings nothing else in
#   cloud/install.sh check            whether the packages work together
#
# PYTHON names the interpreter that gets them (default: python).
set -eu
PYTHON=${PYTHON:-python}

pip() {
  "$PYTHON" -m pip --disable-pip-version-check "$@"
}

case ${1:-} in
  packages)
    pip install --quiet --require-hashes --requirement "$2"
    ;;
  wheel)
    # Without isolation the build takes setuptools from the lock, and no network.
    pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir "$2" .
    ;;
  avinst)
    pip install --quiet --no-deps --no-index "$2"
    ;;
  check)
    pip check
    "$PYTHON" -m avinst.doctor
    ;;
  *)
    echo "usage: $0 packages LOCK | wheel FOLDER | avinst WHEEL | check" >&2
    exit 2
    ;;
esac
