#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Images of mkfs.xfs: the kernel of the box mounts and changes them; then xfs_repair -n and the judge find them clean.
# V4, which the running kernel may not know, and small V5 ones.  mkfs-loop.t has the others.
here=$(cd "$(dirname "$0")" && pwd)
mkfs=${XFSKIT_BUILD:-$PWD}/mkfs.xfs
box=${BOX_DIR:-box.build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
names=

# name, MiB, options
make() {
	name=$1
	truncate -s "$2M" "$dir/$name"
	shift 2
	"$mkfs" -q "$@" "$dir/$name" >"$dir/out" || { echo "Bail out! mkfs.xfs $*"; exit 1; }
	names="$names $name"
	cat >>"$dir/jobs" <<-END
		job $name
		mnt $name
		mkdir /mnt/$name/w && cd /mnt/$name/w
		guest mkfiles many 1 200 5000
		guest write large 900 0 3m
		guest stripes unwritten 903 50 4096
		guest biglinks large links 100 60
		guest xattrs large 904 50 10 300
		ln -s "\$(printf '%0400d' 1)" link
		rm -r many/file-000[0-9]*
		guest space punch large 1m 64k
		sync
		cd /
		again $name
		walk $name >/tmp/list
		umnt $name
	END
}
make v4 300 -m crc=0
make v4-extreme 300 -m crc=0 -b size=512 -n version=ci
make v4-old 300 -m crc=0 -i attr=1,projid32bit=0 -l lazy-count=0 -n ftype=0
make v5 300 -b size=1k -s size=1k

set --
for name in $names; do
	set -- "$@" "$name=$dir/$name"
done
"$here/../box/box" run "$box" "$dir/jobs" "$@" >"$dir/report" 2>"$dir/why"
status=$?
if [ $status -gt 1 ]; then
	echo "1..0 # SKIP $(tail -n 1 "$dir/why")"
	exit 0
fi
n=0
failed=0
result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/#   /' "$3"
		failed=1
	fi
}
for name in $names; do
	grep -q "^ok .* $name " "$dir/report"
	result $? "$name: the kernel of the box mounts it, writes to it" "$dir/report"
	if command -v xfs_repair >/dev/null; then
		xfs_repair -n -f "$dir/$name" >"$dir/out" 2>&1
		result $? "$name: after that, xfs_repair -n of the distribution" "$dir/out"
	else
		n=$((n + 1))
		echo "ok $n - $name: after that, xfs_repair -n of the distribution # SKIP xfs_repair is not installed"
	fi
	"${PYTHON3:-python3}" "$here/../oracle/judge.py" --ignore rmapbt-key-unwritten "$dir/$name" >"$dir/out" 2>&1
	result $? "$name: after that, the independent judge" "$dir/out"
done
echo "1..$n"
exit $failed
