#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Images of mkfs.xfs: a kernel in the box mounts them and changes them; then xfs_repair and the judge find them clean.
here=$(cd "$(dirname "$0")" && pwd)
mkfs=${XFSKIT_BUILD:-$PWD}/mkfs.xfs
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# name, MiB, options
make() {
	name=$1
	truncate -s "$2M" "$dir/$name"
	shift 2
	"$mkfs" -q "$@" "$dir/$name" || { echo "Bail out! mkfs.xfs $*"; exit 1; }
}
make default 512
make v4 512 -m crc=0
make v4-small-blocks 300 -m crc=0 -b size=512
make small-blocks 300 -b size=1k
make bare 300 -m rmapbt=0,reflink=0,finobt=0,bigtime=0 -i sparse=0,nrext64=0
make stripe 1024 -d su=64k,sw=4,agcount=4 -l su=256k
make sectors 512 -s size=4k
make inodes 512 -i size=2048 -n size=16k -l agnum=0
make ci 512 -n version=ci
"$here/check-image" --write "$dir"/default "$dir"/v4 "$dir"/v4-small-blocks "$dir"/small-blocks "$dir"/bare \
	"$dir"/stripe "$dir"/sectors "$dir"/inodes "$dir"/ci
