# Becomes systemd, the manager of a system, in namespaces of its own: see system-manager.ts.
# $1: the name of its control group. $2: the directory of a whole system to run it in, or /. $3: this project. $4: node.
#
# Nothing that units do leaves these namespaces: whatever is written to is a file system of its own, and the system's own start is replaced.
# (Debian's sysinit.target, for one, empties /tmp.)
set -eu
if [ "$1" != inside ]; then
  groups=$(mktemp -d)
  mount -t cgroup2 cgroup2 "$groups"
  mkdir -p "$groups/$1"
  echo $$ > "$groups/$1/cgroup.procs"
  umount "$groups"
  rmdir "$groups"
  shift
  exec unshare --cgroup sh "$0" inside "$@"
fi
root=${2%/} project=$3 node=$4

if [ -n "$root" ]; then
  mount --bind "$root" "$root"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  cat /etc/machine-id > "$root/etc/machine-id"
fi
umount --recursive "$root/sys/fs/cgroup" || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
fresh() { mount -t tmpfs -o "mode=$1" tmpfs "$root$2"; }
fresh 755 /srv
mkdir "$root/srv/clink-worker"
mount --bind "$project" "$root/srv/clink-worker"
touch "$root/srv/node"
mount --bind "$node" "$root/srv/node"
if [ -n "$root" ]; then
  cd "$root"
  pivot_root . .
  umount --lazy .
  root=
fi
fresh 755 /run
fresh 1777 /tmp
fresh 755 /var
mkdir -p /run/systemd/system /var/cache /var/lib /var/log
mkdir -m 700 /var/lib/private /var/cache/private
mkdir -m 1777 /var/tmp
fresh 755 /etc/systemd/system
# What is known of units: the journal, which keeps what services say. All else would be this machine's own, and do its work.
known=$(mktemp -d)
for unit in systemd-journald.service systemd-journald.socket; do cp "/usr/lib/systemd/system/$unit" "$known"; done
for directory in system system-generators; do fresh 755 "/usr/lib/systemd/$directory"; done
cp "$known"/* /usr/lib/systemd/system
for target in sysinit basic network-online multi-user shutdown; do
  printf '[Unit]\nDefaultDependencies=no\n' > "/usr/lib/systemd/system/$target.target"
done
printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n' > /usr/lib/systemd/system/tests.target
# As at the start of a machine: what systemd mounts for a service has to reach it.
mount --make-rshared /
export container=tests
exec /lib/systemd/systemd --system --unit=tests.target --log-target=journal --show-status=no
