#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The library writes, cuts, moves, shares and exchanges files on images of mkfs.xfs (tests/unit/test_file_change.c);
# others judge them: the oracle, both xfs_repair -n, and a kernel that reads every byte, then changes the same files.
# Some images are written through the log, which the kernel replays.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/judged.sh"

# name, options of mkfs.xfs
make() {
	name=$1 image=$dir/$1
	shift
	truncate -s 320M "$image"
	"$build/mkfs.xfs" -q "$@" "$image" >"$dir/out" || { echo "Bail out! mkfs.xfs $*"; exit 1; }
	mkdir "$dir/expect-$name"
	case $name in *-log) export XFSKIT_LOGGED=1;; *) unset XFSKIT_LOGGED;; esac
	XFSKIT_IMAGE=$image XFSKIT_EXPECT=$dir/expect-$name "$build/bin/tests/unit/test_file_change" >"$dir/out" 2>&1
	result $? "$name: files change at random" "$dir/out"
	[ -n "$XFSKIT_LOGGED" ] || judged "$name" "$image"
	names="$names $name"
	(cd "$dir/expect-$name" && sha256sum f*) >"$dir/$name.sums"
	cat >>"$dir/jobs" <<-END
		job $name
		mnt $name
		cd /mnt/$name
		sha256sum f* >/tmp/sums
		cmp /tmp/sums /box/$name.sums
		readlink l7 | wc -c | grep -q '^ *992$'
		for f in f0 f1 f2 f3; do
			guest write $name-\$f 3 0 300k
			guest write \$f 5 100000 50k
			cp \$f copy-\$f
			rm \$f
		done
		rm l*
		cd /
		umnt $name
	END
}
names=
make v5-1k -b size=1k -m rmapbt=1,reflink=1
make v5-4k-log -m rmapbt=1,reflink=1
make v5-plain-log -b size=1k -m rmapbt=0,reflink=0,finobt=0 -i sparse=0
make v4 -m crc=0
if [ -n "$XFSKIT_LONG" ]; then
	make v5-4k -m rmapbt=1,reflink=1
	make v5-1k-log -b size=1k -m rmapbt=1,reflink=1
	make v5-plain -b size=1k -m rmapbt=0,reflink=0,finobt=0 -i sparse=0
fi

set --
puts=
for name in $names; do
	set -- "$@" "$name=$dir/$name"
	puts="$puts --put $dir/$name.sums"
done
# shellcheck disable=SC2086 # the paths are ours and have no spaces
"$here/../box/box" run $puts "$box" "$dir/jobs" "$@" >"$dir/report" 2>"$dir/why"
status=$?
for name in $names; do
	if [ $status -eq 77 ]; then
		skip "$name: a kernel reads the same bytes, and changes the files" "$(tail -n 1 "$dir/why")"
		continue
	fi
	cat "$dir/why" >>"$dir/report"
	grep -q "^ok [0-9]* - $name\b" "$dir/report"
	result $? "$name: a kernel reads the same bytes, and changes the files" "$dir/report"
	judged "$name, after that" "$dir/$name"
done
echo "1..$n"
exit $failed
