#!/bin/sh
# restore.sh [--no-appendonly] FILE DIR
#
# Puts a backup in place in DIR, the folder of a stopped Redis or Valkey, so that its next start begins with it. What was
# there goes to DIR/before-restore-<time>, and nothing is deleted.
#
# With `appendonly yes` a server reads its append-only file and never dump.rdb. So the backup becomes the append-only file:
# since Redis 4 such a file may begin with a snapshot, and Redis 7 moves it into its folder by itself. For a server with
# `appendonly no` say --no-appendonly: then the backup becomes dump.rdb.
#
# APPENDFILENAME, APPENDDIRNAME and DBFILENAME name the files where redis.conf does not have the usual names.
set -eu

isAppendOnly=yes
if [ "${1:-}" = --no-appendonly ]; then
  isAppendOnly=no
  shift
fi
if [ $# -ne 2 ]; then
  echo 'usage: restore.sh [--no-appendonly] FILE DIR' >&2
  exit 64
fi
file=$1
appendFile=${APPENDFILENAME:-appendonly.aof}
appendFolder=${APPENDDIRNAME:-appendonlydir}
snapshot=${DBFILENAME:-dump.rdb}

refuse() {
  echo "$1" >&2
  exit "$2"
}
[ -f "$file" ] || refuse "$file is no file" 66
[ -d "$2" ] || refuse "$2 is no folder" 66
dir=$(cd "$2" && pwd -P)

check=${REDIS_CHECK_RDB:-$(command -v redis-check-rdb || command -v valkey-check-rdb || true)}
[ -n "$check" ] || refuse 'redis-check-rdb is not on the PATH. On Debian: apt-get install redis-tools' 69
"$check" "$file" >/dev/null 2>&1 </dev/null || refuse "$file is no whole backup: $check $file says why" 65

# A running server would write its own data over what is put in place.
for process in /proc/[0-9]*; do
  [ "$(readlink "$process/cwd" 2>/dev/null || true)" = "$dir" ] || continue
  case $(cat "$process/comm" 2>/dev/null || true) in
    redis-* | valkey-*) refuse "a Redis runs in $dir (process ${process#/proc/}): stop it first" 75 ;;
  esac
done

# First the copy, while all is as it was: the disk may be full.
part=$dir/restore.part.$$
trap 'rm -f "$part"' EXIT
trap 'exit 130' INT TERM
cp "$file" "$part"
chmod 640 "$part"
if [ "$(id -u)" = 0 ]; then chown "$(stat -c %u:%g "$dir")" "$part"; fi
sync "$part" 2>/dev/null || sync

before=$dir/before-restore-$(date -u +%Y%m%dT%H%M%SZ)-$$
mkdir "$before"
for name in "$appendFolder" "$appendFile" "$snapshot"; do
  if [ -e "$dir/$name" ]; then mv "$dir/$name" "$before/"; fi
done
if [ $isAppendOnly = yes ]; then mv "$part" "$dir/$appendFile"; else mv "$part" "$dir/$snapshot"; fi
echo "$file is in place. What was there is in $before"
