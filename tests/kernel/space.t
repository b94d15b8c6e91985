#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The library changes the space of images of mkfs.xfs; others judge them.  One copy gets its staging extents recovered by
# the library and must be clean; the other is left to the kernel of the box: it writes files, is shut down, and recovers
# the extents with the log (Linux 6.1 does not after a clean unmount), in trees of several levels that the library has
# grown and shrunk.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/judged.sh"

# name, MiB, steps, options
make() {
	name=$1 image=$dir/$1 steps=$3
	truncate -s "$2M" "$image"
	shift 3
	"$build/mkfs.xfs" -q "$@" "$image" >"$dir/out" || { echo "Bail out! mkfs.xfs $*"; exit 1; }
	printf 'churn 0 %s %s\nchurn 3 5 200\nsync\nfacts 0\n' 7 "$steps" |
		"$build/bin/tests/helpers/agspace" "$image" >"$dir/facts" 2>&1
	result $? "$name: $steps steps" "$dir/facts"
	grep -q 'rmapbt [0-9]* [2-9]' "$dir/facts"
	result $? "$name: $(grep bnobt "$dir/facts")" "$dir/facts"
	"${PYTHON3:-python3}" "$here/../oracle/judge.py" --ignore rmapbt-key-unwritten,refcountbt-cow-leftover "$image" \
		>"$dir/out" 2>&1
	result $? "$name: staging extents: the independent judge" "$dir/out"
	cp "$image" "$image.ours"
	printf 'recover 0\nrecover 3\n' | "$build/bin/tests/helpers/agspace" "$image.ours" >"$dir/out" 2>&1
	result $? "$name: $(tr '\n' ' ' <"$dir/out")" "$dir/out"
	judged "$name, recovered" "$image.ours"
	names="$names $name"
	cat >>"$dir/jobs" <<-END
		job $name kernel=ignore
		mnt $name
		mkdir /mnt/$name/w && cd /mnt/$name/w
		guest mkfiles many 1 50 5000
		guest write large 900 0 3m
		sync
		cd /
		guest down /mnt/$name 1
		again $name
		walk $name >/tmp/list
		umnt $name
	END
}
names=
make v5-1k 300 8000 -b size=1k -m rmapbt=1,reflink=1
make v5-4k 600 8000 -m rmapbt=1,reflink=1

set --
for name in $names; do
	set -- "$@" "$name=$dir/$name"
done
"$here/../box/box" run "$box" "$dir/jobs" "$@" >"$dir/report" 2>"$dir/why"
status=$?
for name in $names; do
	if [ $status -gt 1 ]; then
		skip "$name: the kernel of the box recovers the rest" "$(tail -n 1 "$dir/why")"
		continue
	fi
	# a shutdown makes the kernel complain; of corruption it must not
	grep -q "^ok .* $name " "$dir/report" && ! grep -qi 'corruption\|internal error' "$dir/report"
	result $? "$name: the kernel of the box recovers the rest, and writes files" "$dir/report"
	judged "$name, after that" "$dir/$name"
done
echo "1..$n"
exit $failed
