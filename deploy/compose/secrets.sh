#!/bin/sh
# Makes the secrets that compose.yaml names, each once: a file that is there stays.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
# Containers read them as users of their own: the folder, which only you may enter, is what keeps others out.
make() {
  [ -e "secrets/$1" ] && return
  cat >"secrets/$1.part"
  chmod 644 "secrets/$1.part"
  mv "secrets/$1.part" "secrets/$1"
}
random | make jwt-secret
random | make grafana-password
password=$(random)
if [ ! -e secrets/redis-url ] && [ ! -e secrets/redis-conf ]; then
  echo "redis://:$password@redis:6379" | make redis-url
  make redis-conf <<END
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
protected-mode no
requirepass $password
END
fi
echo "secrets/ has what compose.yaml needs"
