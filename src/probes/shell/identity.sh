one() { v=; { IFS= read -r v <"$1"; } && value "$1" "$v"; }
one /proc/sys/kernel/hostname
one /etc/machine-id || one /var/lib/dbus/machine-id
one /proc/sys/kernel/random/boot_id
value clock "$(date +%s)"
clock
value uptime "$now"
if [ -r /proc/1/cgroup ]; then value proc open
elif [ -e /proc/self/stat ]; then value proc hidden
else value proc none; fi
file /etc/os-release 8192 || file /usr/lib/os-release 8192
