#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The library makes, links, renames and removes names and sets attributes on images of mkfs.xfs
# (tests/unit/test_namechange.c); others judge them: the oracle, both xfs_repair -n, and a kernel that reads every name and
# attribute, then removes most of it.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/judged.sh"

# name, options of mkfs.xfs
make() {
	name=$1 image=$dir/$1
	shift
	truncate -s 320M "$image"
	"$build/mkfs.xfs" -q "$@" "$image" >"$dir/out" || { echo "Bail out! mkfs.xfs $*"; exit 1; }
	XFSKIT_IMAGE=$image XFSKIT_EXPECT=$dir/expect "$build/bin/tests/unit/test_namechange" >"$dir/out" 2>&1
	result $? "$name: names change at random" "$dir/out"
	judged "$name" "$image"
	case $name in *parent*)
		return ;;
	esac
	names="$names $name"
	# sizes of directories are the library's own
	sed 's/^\(d [^ ]* [^ ]* [^ ]* [^ ]* [^ ]*\) [^ ]*/\1 -/' "$dir/expect" | LC_ALL=C sort >"$dir/$name.walk"
	cat >>"$dir/jobs" <<-END
		job $name
		mnt $name
		cd /mnt/$name
		guest walk . | sed 's/^\(d [^ ]* [^ ]* [^ ]* [^ ]* [^ ]*\) [^ ]*/\1 -/' | LC_ALL=C sort >/tmp/walk
		diff /tmp/walk /box/$name.walk >/tmp/diff || { head -n 20 /tmp/diff; exit 1; }
		for i in 1 2 3 4 5 6; do
			mkdir new-\$i
			touch new-\$i/a new-\$i/b
			mv new-\$i/a another-\$i
		done
		find . -depth ! -type d | awk 'NR % 3' | xargs rm
		rm -r [1-5]*
		cd /
		umnt $name
	END
}
names=
make v5-1k -b size=1k -m rmapbt=1,reflink=1
make v5-dir16k -m rmapbt=1,reflink=1 -n size=16384
make v5-parent -b size=1k -n parent=1
make v4-ci -m crc=0 -n version=ci
[ -z "$XFSKIT_LONG" ] || make v4-old -m crc=0 -n ftype=0 -i size=256
[ -z "$XFSKIT_LONG" ] || make v5-plain -b size=1k -m rmapbt=0,reflink=0,finobt=0 -i sparse=0

set --
puts=
for name in $names; do
	set -- "$@" "$name=$dir/$name"
	puts="$puts --put $dir/$name.walk"
done
# shellcheck disable=SC2086 # the paths are ours and have no spaces
"$here/../box/box" run $puts "$box" "$dir/jobs" "$@" >"$dir/report" 2>"$dir/why"
status=$?
for name in $names; do
	if [ $status -eq 77 ]; then
		skip "$name: a kernel reads the same names and attributes, and changes them" "$(tail -n 1 "$dir/why")"
		continue
	fi
	cat "$dir/why" >>"$dir/report"
	grep -q "^ok [0-9]* - $name\b" "$dir/report"
	result $? "$name: a kernel reads the same names and attributes, and changes them" "$dir/report"
	judged "$name, after that" "$dir/$name"
done
echo "1..$n"
exit $failed
