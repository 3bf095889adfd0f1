#!/bin/sh
# The steps by which the image gets its packages, so that they can be run without Docker too (.ci/package does).
#
#   cloud/install.sh packages LOCK    all packages of a lock (cloud/cpu.lock, cloud/gpu.lock), checked by their hashes
#   cloud/install.sh wheel FOLDER     avinst's wheel into the folder, built from the sources here
#   cloud/install.sh avinst WHEEL     avinst itself; it brings nothing else in
#   cloud/install.sh tree FOLDER      in a copy of the sources, links to what was installed take the packages' places, so
#                                     that its tests test that, however they or their child processes import it
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
  tree)
    # From elsewhere, with no path of the user's: the sources would be found first.
    installed=$(cd / && PYTHONPATH='' "$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    for package in avinst beam_pipelines trainer analysis; do
      [ -f "$installed/$package/__init__.py" ] || { echo "$0: $package is not installed" >&2; exit 1; }
      rm -r "${2:?}/$package"
      ln -s "$installed/$package" "$2/$package"
    done
    ;;
  check)
    pip check
    "$PYTHON" -m avinst.doctor
    ;;
  *)
    echo "usage: $0 packages LOCK | wheel FOLDER | avinst WHEEL | tree FOLDER | check" >&2
    exit 2
    ;;
esac
