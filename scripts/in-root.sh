#!/bin/sh
# in-root.sh ROOT PROJECT PROGRAM [ARGUMENT...]
#
# Becomes PROGRAM within ROOT: the process id stays the same, so signals and exit codes are those of PROGRAM. It sees the
# project and /tmp under the paths that they have outside. The mounts are in a namespace of their own, which ends
# with its last process, however that one ends: nothing is ever left to unmount.
set -eu
export ROOT_FOLDER="$1" ROOT_PROJECT="$2"
shift 2
# Libraries and programs of the machine outside are of no use within.
unset LD_LIBRARY_PATH
exec unshare --mount --propagation private /bin/sh -euc '
  for folder in /proc /sys /dev; do mount --rbind "$folder" "$ROOT_FOLDER$folder"; done
  for folder in /tmp "$ROOT_PROJECT"; do
    mkdir -p "$ROOT_FOLDER$folder"
    mount --bind "$folder" "$ROOT_FOLDER$folder"
  done
  place="$PWD"
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  exec chroot "$ROOT_FOLDER" /bin/sh -c "cd \"\$0\" 2>/dev/null || cd /; exec \"\$@\"" "$place" "$@"
' sh "$@"
