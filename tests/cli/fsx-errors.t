#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A read or a write of the device fails in the middle of a script of changes with a log: the run ends with an error, what
# is left is recovered, consistent, and holds what was done (tests/lib/fsx.c).
build=${XFSKIT_BUILD:-$PWD}
fsx=$build/bin/tests/lib/fsx
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
status=0
truncate -s 48M "$dir/base"
TEST_DIR=/nowhere TEST_DEV=/nowhere QA_CHECK_FS=/nowhere \
	"$build/mkfs.xfs" -q -b size=1k -m rmapbt=1,reflink=1 -d agcount=2 "$dir/base" || { echo "Bail out! mkfs.xfs"; exit 1; }
"$fsx" random --reflink --block 1024 --most 100000 --files 40 --sync-every 20 5 250 >"$dir/script"
"$fsx" run --base "$dir/base" --logged --each "$dir/all" "$dir/script" >"$dir/said" || { echo "Bail out! fsx"; exit 1; }
# shellcheck disable=SC2046 # words are wanted
set -- $(cat "$dir/said")
writes=$6 reads=$8

# what to fail, the call
one() {
	"$fsx" run --base "$dir/base" --logged --each "--fail-$1" "$2" "$dir/image" "$dir/script" >"$dir/said" 2>"$dir/why"
	[ $? -eq 3 ] || { echo "no error: $(cat "$dir/said" "$dir/why")"; return 1; }
	done=$(sed -n 's/.*done \([0-9]*\) .*/\1/p' "$dir/said")
	"$fsx" recover "$dir/image" >/dev/null 2>"$dir/why" || { cat "$dir/why"; return 1; }
	"$build/xfs_repair" -n -f "$dir/image" >"$dir/why" 2>&1 || { cat "$dir/why"; return 1; }
	"$fsx" list "$dir/image" | sed 's/^\(..\)/\10 /' >"$dir/list"
	"$fsx" match --base "$dir/image" "$dir/script" "$dir/list" "$done" $((done + 1)) >"$dir/why" 2>&1 || { cat "$dir/why"; return 1; }
}

all() {
	bad=
	[ -n "$XFSKIT_LONG" ] && step=$(($2 / 200 + 1)) || step=$(($2 / 10 + 1))
	at=$3
	while [ "$at" -le "$2" ]; do
		what=$(one "$1" "$at") || bad="$bad
# $1 $at: $what"
		at=$((at + step))
	done
	n=$((n + 1))
	if [ -z "$bad" ]; then
		echo "ok $n - $1s that fail: one in $step of $2"
	else
		echo "not ok $n - $1s that fail$bad"
		status=1
	fi
}
all write "$writes" 3
# (the first reads open the filesystem)
all read "$reads" 40
echo "1..$n"
exit $status
