# The first process of a machine made of namespaces: it mounts what the machine has, and becomes
# systemd. Whatever it mounts goes with it. Run by tests.systemd.machine, as root:
#
#   machine.sh SOURCE PYTHON VERSION NATS PATH...
#
# SOURCE is the repository, PYTHON the interpreter's own folder, VERSION such as 3.11, NATS the
# nats-server, and each PATH a folder that modules are imported from.
set -eu
source=$1 python=$2 version=$3 nats=$4
shift 4

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup

# Who the units run as.
cp /etc/passwd /etc/group /run
echo 'anyteam:x:10001:10001::/var/lib/anyteam:/usr/sbin/nologin' >>/run/passwd
echo 'anyteam:x:10001:' >>/run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group

# The program, where no unit's walls hide it: /root and /tmp are behind them.
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir /opt/python /opt/source /opt/paths
mount --bind "$python" /opt/python
mount --bind "$source" /opt/source
# Where its library is shared, it was to be found in the interpreter's own folder.
{ echo /opt/python/lib; cat /etc/ld.so.conf; } >/run/ld.so.conf
ldconfig -X -f /run/ld.so.conf -C /run/ld.so.cache
mount --bind /run/ld.so.cache /etc/ld.so.cache
/opt/python/bin/python"$version" -m venv --without-pip /opt/anyteam
cp "$nats" /opt/anyteam/bin/nats-server
found=/opt/anyteam/lib/python$version/site-packages/found.pth
echo /opt/source >"$found"
for path in "$@"; do
    at=/opt/paths/$(basename "$(mktemp -d /opt/paths/XXXXXX)")
    chmod 755 "$at"
    mount --bind "$path" "$at"
    echo "$at" >>"$found"
done
mount -t tmpfs -o mode=755 tmpfs /usr/local/bin
cat >/usr/local/bin/anyteam <<'END'
#!/opt/anyteam/bin/python
import sys

from console.main import main

sys.exit(main())
END
chmod 755 /usr/local/bin/anyteam

# Our units and the journal, and none of the machine's below.
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /etc/systemd/system
cp "$source"/deploy/systemd/*.service /etc/systemd/system
cp /lib/systemd/system/systemd-journald*.s* /etc/systemd/system
for target in sysinit basic sockets network network-online multi-user shutdown; do
    printf '[Unit]\nDefaultDependencies=no\n' >/etc/systemd/system/$target.target
done
printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.socket systemd-journald.service\n' \
    >/etc/systemd/system/machine.target
install -d -o anyteam -g anyteam -m 0700 /var/lib/anyteam

exec env -i container=other PATH=/usr/local/bin:/usr/bin:/bin \
    SYSTEMD_UNIT_PATH=/etc/systemd/system SYSTEMD_LOG_TARGET=console \
    /lib/systemd/systemd --system --unit=machine.target --show-status=no
