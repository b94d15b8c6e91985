#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# xfs_db --replay on images whose logs Linux left dirty: shows what is there after a replay, and leaves the file alone.
here=$(cd "$(dirname "$0")" && pwd)
build=${XFSKIT_BUILD:-$PWD}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
failed=0

result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		head -n 30 "$dir/out" | sed 's/^/#   /'
		failed=1
	fi
}

# All commands: what they say with the replay in memory, and after one in the file. Without `log` (it writes a file),
# `quit` (ends them) and `logprint` (the log itself: below).
cat >"$dir/questions" <<'END'
sb 0
print
agf 0
print
agi 1
print
agfl 0
print
agresv
dump_iunlinked -a 0 -v
fsmap
inode 64
print
stack
push agf 1
type
pop
path /w
print
bmap
dblock 0
print
ablock 0
back
forward
ring
ls -i
parent
freesp -s
btdump
agf 0
addr bnoroot
print
btdump
agblock 3
type text
daddr 8
fsblock 20
print
logblock 0
rtblock 0
rtextent 0
rtsb
owner 100
rmapbt query 0 0 500
convert fsblock 20 daddr
btheight -w max rmapbt
frag -v
hash w
info
label
uuid
version
timelimit
echo done
source END
help fsmap
END
printf 'agi 0\nprint\n' >"$dir/END"
questions() {
	(cd "$dir" && "$@" 2>"$dir/err" <questions | sed 's/^xfs_db> //; s/^meta-data=[^ ]*/meta-data=IMAGE/')
}

for name in log-rmap log-v4 log-pieces; do
	img=$dir/$name
	xz -dc "$here/../data/$name.img.xz" >"$img" || exit 1
	chmod 444 "$img"
	cp "$img" "$dir/after"
	chmod 644 "$dir/after"
	"$build/bin/tests/helpers/replay" "$dir/after" >"$dir/out" 2>&1
	result $? "$name: replayed in a copy"
	before=$(sha256sum <"$img")
	questions "$build/xfs_db" --replay "$img" >"$dir/got"
	cp "$dir/err" "$dir/said"
	questions "$build/xfs_db" -r "$dir/after" >"$dir/want"
	diff "$dir/got" "$dir/want" >"$dir/out" && [ "$(wc -l <"$dir/want")" -gt 300 ]
	result $? "$name: all commands show what they show after a replay"
	questions "$build/xfs_db" -r "$img" >"$dir/old"
	! cmp -s "$dir/old" "$dir/want"
	result $? "$name: without the option they do not"
	cp "$dir/said" "$dir/out"
	grep -q "the log is replayed in memory, $img stays as it is" "$dir/out"
	result $? "$name: it is said on standard error"
	[ "$(sha256sum <"$img")" = "$before" ]
	result $? "$name: the file is the same"
	"$build/xfs_db" --replay -c logprint "$img" >"$dir/out" 2>/dev/null && grep -q '^log of .* clean' "$dir/out"
	result $? "$name: the log looks clean"
	"$build/xfs_db" --replay -c 'logprint -a' "$img" >"$dir/out" 2>/dev/null && grep -q '^    inode ' "$dir/out"
	result $? "$name: what it held can still be seen"
	"$build/xfs_db" --replay -c 'sb 0' "$dir/after" >"$dir/out" 2>&1 && grep -q 'the log is clean' "$dir/out"
	result $? "$name: a clean log is said to be clean"
done

"$build/xfs_db" -r -c help "$dir/after" | sed -n 's/ .* -- .*//p' >"$dir/commands"
while read -r command; do
	grep -Eq "^$command( |\$)" "$dir/questions" || echo "$command"
done <"$dir/commands" | grep -Evx 'log|quit|logprint' >"$dir/out"
[ ! -s "$dir/out" ] && [ "$(wc -l <"$dir/commands")" -gt 45 ]
result $? "no command was left out"

# a wrong operation in the middle
img=$dir/log-v4
chmod 644 "$img"
set -- $("$build/xfs_db" -r -c 'sb 0' -c 'print blocksize logstart agblocks agblklog' "$img" 2>/dev/null | sed 's/.*= //')
block=$("$build/xfs_db" -r -c 'logprint -r' "$img" | sed -n 's/^record [0-9]*:\([0-9]*\) .*/\1/p' | sed -n 3p)
start=$(((($2 >> $4) * $3 + ($2 & ((1 << $4) - 1))) * $1))
printf 'damage' | dd of="$img" bs=1 seek=$((start + (block + 1) * 512 + 40)) conv=notrunc 2>/dev/null
"$build/xfs_db" --replay -c 'sb 0' -c print "$img" >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q "log is damaged: block $block" "$dir/out" && grep -q 'cannot be replayed' "$dir/out"
result $? "a damaged log ends the program with a reason"
echo "1..$n"
exit $failed
