#!/bin/sh
# backup.sh FILE [OPTION OF redis-cli...]
#
# Writes what a running Redis or Valkey holds to FILE: one moment of it, while nodes go on working. A FILE that is there
# is replaced only by a whole and checked one. The password comes from the variable REDISCLI_AUTH.
#
#   REDISCLI_AUTH=secret backup.sh soleseat.rdb -h redis.example.com -p 6379 --user soleseat-backup
set -eu

if [ $# -lt 1 ] || [ -z "$1" ]; then
  echo 'usage: backup.sh FILE [option of redis-cli...]' >&2
  exit 64
fi
file=$1
shift

program() {
  for name in "$@"; do
    command -v "$name" && return
  done
  echo "none of these is on the PATH: $*. On Debian: apt-get install redis-tools" >&2
  return 69
}
cli=${REDIS_CLI:-$(program redis-cli valkey-cli)}
check=${REDIS_CHECK_RDB:-$(program redis-check-rdb valkey-check-rdb)}

# It holds the names of users and the secrets of webhooks.
umask 077
part=$file.part.$$
said=$part.said
trap 'rm -f "$part" "$said"' EXIT
trap 'exit 130' INT TERM

if ! "$cli" "$@" --rdb "$part" >"$said" 2>&1 </dev/null; then
  cat "$said" >&2
  exit 1
fi
if ! "$check" "$part" >"$said" 2>&1 </dev/null; then
  cat "$said" >&2
  echo 'what Redis sent is no whole copy' >&2
  exit 1
fi
sync "$part" 2>/dev/null || sync
mv "$part" "$file"
echo "$file: $(sed -n 's/.*\] \([0-9]*\) keys read.*/\1/p' "$said") keys"
