#!/usr/bin/env bash
# Build the service's image on this Debian machine and run it, without Docker and without a registry: the base is Debian itself with
# its own Python, made with mmdebstrap, and buildah builds (vfs storage, chroot isolation). It runs as the image says,
# with a read-only root, no capabilities and /dev/shm alone to write to. Where the machine forbids that, or a tool is absent,
# it says so and ends with 0: `make try-image MODEL=models/m1`.
set -euo pipefail
cd "$(dirname "$0")/.."
model=${1:?"Name a model folder: cortex/try_image.sh models/m1"}
tools=(buildah mmdebstrap curl unshare)
suite=${SUITE:-bookworm}

skip() { echo "SKIPPED: $*" >&2; exit 0; }
fail() { echo "FAILED: $*" >&2; exit 1; }
step() { printf '== %s\n' "$*"; }

[ "$(id -u)" = 0 ] || skip "it needs root, to make a base and to become the image's user in it."
for tool in "${tools[@]}"; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (Debian: apt-get install ${tools[*]})."
done

work=$(mktemp -d)
server=""
cleanup() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
  buildah_ rm --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
buildah_() { buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }

step "wheels for Python 3.11, so that the build needs no network"
.venv/bin/pip --disable-pip-version-check download --quiet --only-binary=:all: --python-version 3.11 \
  --dest "$work/wheels" --requirement cortex/requirements.txt 2>"$work/log" || { tail -n 5 "$work/log" >&2; skip "no packages to be had."; }

step "a base of Debian $suite"
mmdebstrap --variant=minbase --include=python3-minimal,python3-venv "$suite" "$work/base.tar" \
  >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; skip "mmdebstrap makes no base here."; }
base=$(buildah_ from scratch)
mounted=$(buildah_ mount "$base") || skip "buildah mounts nothing here."
tar -C "$mounted" -xf "$work/base.tar"
rm "$work/base.tar"
printf '[global]\nno-index = true\nfind-links = /wheels\n' >"$mounted/etc/pip.conf"
buildah_ umount "$base" >/dev/null
buildah_ commit --quiet "$base" localhost/genre-base >/dev/null
buildah_ rm "$base" >/dev/null

step "the image"
.venv/bin/python -m cortex.context "$model"
mkdir "$work/context"
tar -C "$work/context" -xf var/cortex/context.tar
buildah_ build --quiet --isolation chroot --volume "$work/wheels:/wheels:ro" --build-arg BASE_IMAGE=localhost/genre-base \
  --tag localhost/genre-service "$work/context" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "the build."; }
config() { buildah_ inspect --type image --format "{{$1}}" localhost/genre-service; }
user=$(config .OCIv1.Config.User)
case "$user" in "" | 0 | 0:* | root*) fail "the image runs as “$user”." ;; esac
mapfile -t variables < <(config 'range .OCIv1.Config.Env}}{{println .}}{{end' | sed '/^$/d')
mapfile -t command < <(config 'range .OCIv1.Config.Cmd}}{{println .}}{{end' | sed '/^$/d')
root=$(buildah_ mount "$(buildah_ from localhost/genre-service)")
du -sh "$root" | sed "s|$root|whole image|"

step "running as $user: ${command[*]}"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# shellcheck disable=SC2016 # the inner shell fills these in
unshare --mount --pid --fork --kill-child sh -euc '
  root=$1 user=$2 workdir=$3; shift 3
  mount --bind "$root" "$root"
  mount -t tmpfs -o mode=1777,size=64m shared "$root/dev/shm"
  for device in null urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
  mount -t proc proc "$root/proc"
  mount -o remount,bind,ro "$root"
  exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all sh -c "cd \"\$0\" && exec \"\$@\"" "$workdir" "$@"
' sh "$root" "$user" "$(config .OCIv1.Config.WorkingDir)" \
  env -i "${variables[@]}" "CORTEX_PORT=$port" DRAIN_SECONDS=1 "${command[@]}" 2>"$work/service.log" &
server=$!
for _ in $(seq 100); do
  ready=$(curl -sS --max-time 5 "http://127.0.0.1:$port/ready" 2>/dev/null) && [[ $ready == *'"ready": true'* ]] && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$work/service.log" >&2; skip "the machine runs no such thing (unshare, mount, chroot)."; }
  sleep 0.2
done
[[ ${ready:-} == *'"ready": true'* ]] || { tail -n 20 "$work/service.log" >&2; fail "it does not become ready."; }
first=$(pgrep -P "$server")
owner=$(awk '/^Uid:/ {print $2}' "/proc/$first/status")
[ "$owner" = "${user%:*}" ] || fail "it runs as $owner."
echo "ready, as user $owner: $ready"
if touch_said=$(nsenter -t "$first" -m -r -w sh -c 'touch /app/x' 2>&1); then fail "its root can be written to."; fi
echo "its root is closed: $touch_said"

step "a prediction, and SIGTERM with requests under way"
.venv/bin/python - "http://127.0.0.1:$port/" "$first" <<'PY'
import json
import os
import signal
import sys
import threading
import time
import urllib.request

address, process = sys.argv[1], int(sys.argv[2])
TEXT = "The wizard and the sorceress cast an old spell on the dragon of the kingdom."


def ask(body):
    request = urllib.request.Request(address, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status, json.load(response)


status, answer = ask({"text": TEXT, "limit": 3})
print(status, [(each["slug"], round(each["score"], 3)) for each in answer["results"]], answer["model_sha256"][:12])
said = []
clients = [threading.Thread(target=lambda: said.append(ask([TEXT] * 8000))) for _ in range(4)]
for client in clients:
    client.start()
time.sleep(0.3)
under_way = len(clients) - len(said)
os.kill(process, signal.SIGTERM)
for client in clients:
    client.join()
answered = sum(status == 200 and answer["failed"] == 0 for status, answer in said)
print(f"{under_way} of {len(clients)} requests under way at SIGTERM, {answered} answered")
sys.exit(0 if answered == len(clients) and under_way else 1)
PY
code=0
wait "$server" || code=$?
server=""
[ "$code" = 0 ] || { tail -n 20 "$work/service.log" >&2; fail "it ended with $code."; }
echo "PASSED: the image builds, runs as $user on a closed root, predicts, and answers what is under way when it is stopped."
