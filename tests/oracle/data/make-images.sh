#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make the images of this folder with the released mkfs.xfs and the running kernel. Needs root and loop devices.
# The image with quota is filled by the kernel in the box (tests/box), if its folder is named: the running one may
# have no quota. usage: make-images.sh [WORK-FOLDER [BOX-FOLDER]]
# Images and listings are written beside this script.
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
# Small filesystems are for tests only; mkfs.xfs wants these three to be set for that.
export TEST_DIR=1 TEST_DEV=1 QA_CHECK_FS=1
uuid=11111111-2222-3333-4444-555555555555

# make NAME SIZE SCALE MKFS-OPTIONS...
make() {
	name=$1 size=$2 scale=$3
	shift 3
	rm -f "$work/$name.img"
	truncate -s "$size" "$work/$name.img"
	mkfs.xfs -q -f "$@" "$work/$name.img"
	if [ "$scale" != 0 ]; then
		mkdir -p "$work/mnt"
		mount -o loop "$work/$name.img" "$work/mnt"
		python3 "$here/../populate.py" "$work/mnt" "$scale" 3
		sync
		python3 "$here/../mounted_tree.py" --times "$work/mnt" | xz -9e -c > "$here/$name.tree.xz"
		umount "$work/mnt"
		rmdir "$work/mnt"
	fi
	xz -9e -c "$work/$name.img" > "$here/$name.img.xz"
}

# All the redundancy: rmapbt, reflink, 1 KiB blocks (directory blocks of four blocks), large extent counters.
make full 40m 0.1 -b size=1024 -d agcount=2 -i nrext64=1 -m rmapbt=1,reflink=1,uuid=$uuid
# None of it: no rmapbt, reflink, finobt, sparse inodes, bigtime.
make plain 40m 0.1 -b size=4096 -d agcount=2 -i sparse=0 \
	-m rmapbt=0,reflink=0,finobt=0,inobtcount=0,bigtime=0,uuid=$uuid
# V4 is filled by mkfs itself: today's kernels do not mount it.
proto=$work/proto
{
	printf 'boot\n0 0\nd--755 0 0\n'
	for count in 1 20 300; do
		echo "dir$count d--755 0 0"
		for number in $(seq "$count"); do
			if [ $((number % 5)) = 0 ]; then
				echo "file$number ---644 0 0 $here/make-images.sh"
			else
				echo "link$number l--777 0 0 $(printf "%0$((number * 3))d" 0)"
			fi
		done
		echo '$'
	done
	printf 'fifo p--644 0 0\nchr c--644 0 0 1 3\nblk b--600 5 6 8 16\n$\n'
} > "$proto"
make v4 40m 0 -b size=512 -d agcount=2 -m crc=0,uuid=$uuid -p "$proto"
# A realtime section: only the metadata files on the data device are judged, so that the empty device will do.
truncate -s 300m "$work/rt.dev"
make rt 40m 0 -b size=1024 -d agcount=2 -m reflink=0,uuid=$uuid -r extsize=28k,rtdev="$work/rt.dev"
if [ -n "$2" ]; then
	rm -f "$work/quota.img"
	truncate -s 40m "$work/quota.img"
	mkfs.xfs -q -f -d agcount=2 -b size=1024 -m reflink=0,uuid=$uuid "$work/quota.img"
	cat > "$work/jobs" <<-'END'
	job quota timeout=60
	mnt quota -o uquota -o gquota -o pquota
	cd /mnt/quota
	guest mkfiles many 1 60 3000
	chown -R 1000:500 many
	echo text > own
	cd /
	umnt quota
	END
	python3 "$here/../../box/box" run "$2" "$work/jobs" quota="$work/quota.img"
	xz -9e -c "$work/quota.img" > "$here/quota.img.xz"
fi
ls -l "$here"/*.xz
