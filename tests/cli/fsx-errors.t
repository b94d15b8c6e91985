#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A read or a write of the device, or an allocation, fails in the middle of a script of changes: the run ends with an error,
# what is left is recovered, consistent, and holds what was done (tests/lib/fsx.c).  An operation that lacked memory was
# undone: done again it succeeds, and the script goes on to its end.  XFSKIT_LONG=1: every allocation.
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
# the first reads open the filesystem: what can't be read of a clean log is no error
: >"$dir/nothing"
"$fsx" run --base "$dir/base" --logged --each "$dir/image" "$dir/nothing" >"$dir/said" || { echo "Bail out! fsx"; exit 1; }
# shellcheck disable=SC2046 # words are wanted
set -- $(cat "$dir/said")
opening=$8

# The image recovered and judged, against the files after FROM to TO lines.
judge() {
	"$fsx" recover "$dir/image" >/dev/null 2>"$dir/why" || { cat "$dir/why"; return 1; }
	"$build/xfs_repair" -n -f "$dir/image" >"$dir/why" 2>&1 || { cat "$dir/why"; return 1; }
	"$fsx" list "$dir/image" | sed 's/^\(..\)/\10 /' >"$dir/list"
	"$fsx" match --base "$dir/image" "$dir/script" "$dir/list" "$1" "$2" >"$dir/why" 2>&1 || { cat "$dir/why"; return 1; }
}

# what to fail, the call
one() {
	"$fsx" run --base "$dir/base" --logged --each "--fail-$1" "$2" "$dir/image" "$dir/script" >"$dir/said" 2>"$dir/why"
	[ $? -eq 3 ] || { echo "no error: $(cat "$dir/said" "$dir/why")"; return 1; }
	done=$(sed -n 's/.*done \([0-9]*\) .*/\1/p' "$dir/said")
	judge "$done" $((done + 1))
}

# how it is opened, the allocation
allocation() {
	# shellcheck disable=SC2086 # words are wanted
	"$fsx" run --base "$dir/base" $1 --fail-alloc "$2" "$dir/image" "$dir/script" >"$dir/said" 2>"$dir/why"
	ended=$?
	# shellcheck disable=SC2046
	set -- $(cat "$dir/said")
	case $ended in
	0) judge "$lines" "$lines" ;;
	3) echo "$2" >>"$dir/ended"; judge "$4" $(($2 + 1)) ;;
	*) echo "status $ended: $(cat "$dir/said" "$dir/why")"; return 1 ;;
	esac
}

# A recovery that lacks memory says so, and the next one goes on; or it does without (overlays go to a file), and nothing is left for a
# next one.
recovery() {
	cp "$dir/dirty" "$dir/image"
	"$fsx" recover --fail-alloc "$2" "$dir/image" >"$dir/said" 2>"$dir/why"
	ended=$?
	case $ended in
	0) "$fsx" recover "$dir/image" 2>&1 | grep -q "intents 0 inodes 0 writes 0 " ||
		{ echo "status 0, and there is more to do: $(cat "$dir/said" "$dir/why")"; return 1; } ;;
	3) echo "$2" >>"$dir/ended" ;;
	*) echo "status $ended: $(cat "$dir/said" "$dir/why")"; return 1 ;;
	esac
	judge "$done" $((done + 1))
}

result() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1$2"
		status=1
	fi
}

# What fails, calls, the first of them, samples, the function and its first argument
some() {
	bad=
	step=$(($2 / $4 + 1))
	at=$3
	while [ "$at" -le "$2" ]; do
		what=$($5 "$6" "$at") || bad="$bad
# $1 $at: $what"
		at=$((at + step))
	done
	result "$1: one in $step of $2 fails" "$bad"
}
few=12 more=30
[ -n "$XFSKIT_LONG" ] && few=200 more=1000000
some writes "$writes" 3 "$few" one write
some reads "$reads" $((opening + 1)) "$few" one read
lines=$(wc -l <"$dir/script")
for how in "--logged --each" --logged ""; do
	# shellcheck disable=SC2046,SC2086
	set -- $("$fsx" run --base "$dir/base" $how "$dir/all" "$dir/script")
	: >"$dir/ended"
	some "allocations ${how:-direct}" "${10}" 1 "$more" allocation "$how"
	echo "# $(wc -l <"$dir/ended") of these ended the script"
done
"$fsx" run --base "$dir/base" --logged --each --stop-after $((writes / 2)) "$dir/dirty" "$dir/script" >"$dir/said"
done=$(sed -n 's/done \([0-9]*\) .*/\1/p' "$dir/said")
cp "$dir/dirty" "$dir/image"
# shellcheck disable=SC2046
set -- $("$fsx" recover "$dir/image" 2>"$dir/why")
: >"$dir/ended"
some "allocations of a recovery" "${12}" 1 "$more" recovery
echo "# $(wc -l <"$dir/ended") of these ended the recovery"
bad=
for seed in 23 24 25; do
	"$fsx" random --reflink --swap --block 1024 --most 100000 --files 40 --sync-every 20 "$seed" 250 >"$dir/script" || bad="$bad
# seed $seed: status $?"
	[ "$(wc -l <"$dir/script")" -eq 250 ] || bad="$bad
# seed $seed: $(wc -l <"$dir/script") lines"
done
result "random scripts while there are few files" "$bad"
# what is there is the file as it was synced, two changes ago: no sector of it need be as the last change but one left it
printf '%s\n' "create /a 644" "write /a 0 8192 1" sync "zero /a 4096 2048 keep" "write /a 1024 1024 2" >"$dir/script"
bad=
at=0
while [ "$at" -lt 12 ]; do
	at=$((at + 1))
	"$fsx" run --base "$dir/base" --logged --stop-after "$at" "$dir/image" "$dir/script" >"$dir/said" 2>"$dir/why"
	[ $? -eq 3 ] || break
	synced=$(sed -n 's/.* synced \([0-9]*\) .*/\1/p' "$dir/said")
	done=$(sed -n 's/.*done \([0-9]*\) .*/\1/p' "$dir/said")
	what=$(judge "$synced" $((done + 1))) || bad="$bad
# stop after $at: $what"
done
[ "$at" -gt 3 ] || bad="$bad
# only $at stops"
result "stops while two changes of a file are not synced" "$bad"
echo "1..$n"
exit $status
