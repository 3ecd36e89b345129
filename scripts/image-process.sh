#!/bin/sh
# image-process.sh ROOT STAGE WORKDIR USER PROGRAM [ARGUMENT...]
#
# Runs PROGRAM as a container runtime runs the process of an image: as process 1, as a user without rights, and with a root
# that cannot be written. STAGE is the folder of the image's last stage; it stands over ROOT, a whole Debian, or alone where
# ROOT is -. It takes root. The mounts end with the process.
set -eu
export ROOT_FOLDER="$1" STAGE="$2" WORK="$3" ASUSER="$4"
shift 4
exec unshare --mount --pid --fork --kill-child=KILL --propagation private /bin/sh -euc '
  if [ "$ROOT_FOLDER" = - ]; then
    mount --bind "$STAGE" "$STAGE"
    mount -o remount,bind,ro "$STAGE"
    mount -t proc proc /proc
    cd "$STAGE$WORK"
    enter=
  else
    mkdir -p "$ROOT_FOLDER$WORK"
    mount --bind "$STAGE$WORK" "$ROOT_FOLDER$WORK"
    mount -o remount,bind,ro "$ROOT_FOLDER$WORK"
    mount --rbind "$ROOT_FOLDER" "$ROOT_FOLDER"
    mount -o remount,bind,ro "$ROOT_FOLDER"
    mount -t proc proc "$ROOT_FOLDER/proc"
    mount --rbind /dev "$ROOT_FOLDER/dev"
    enter="chroot $ROOT_FOLDER env --chdir=$WORK"
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  fi
  exec $enter setpriv --reuid="$ASUSER" --regid="$ASUSER" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
' sh "$@"
