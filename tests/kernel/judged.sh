# SPDX-License-Identifier: BSD-2-Clause
# What the shell scripts of this folder share: TAP, a scratch folder, and the judges of an image. Sourced, with $here set.
build=${XFSKIT_BUILD:-$PWD}
box=${BOX_DIR:-$build/box}
theirs=${DISTRIBUTION_XFS_REPAIR:-$(PATH=$PATH:/usr/sbin:/sbin command -v xfs_repair)}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
failed=0

# exit status, what was tested, file with what was printed
result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/#   /' "$3" | head -n 30
		failed=1
	fi
}

# what could not be tested, why
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# what it is, image: the independent judge, our xfs_repair -n and that of the distribution
judged() {
	"${PYTHON3:-python3}" "$here/../oracle/judge.py" --ignore rmapbt-key-unwritten "$2" >"$dir/out" 2>&1
	result $? "$1: the independent judge" "$dir/out"
	"$build/xfs_repair" -n -f "$2" >"$dir/out" 2>&1
	result $? "$1: our xfs_repair -n" "$dir/out"
	if [ -z "$theirs" ]; then
		skip "$1: xfs_repair -n of the distribution" "xfs_repair is not installed"
		return
	fi
	"$theirs" -n -f "$2" >"$dir/out" 2>&1
	code=$?
	if [ $code -ne 0 ] && grep -qi 'unknown .*feature\|unsupported .*feature\|try a newer xfsprogs' "$dir/out"; then
		skip "$1: xfs_repair -n of the distribution" "it does not know a feature of this image"
	else
		result $code "$1: xfs_repair -n of the distribution" "$dir/out"
	fi
}
