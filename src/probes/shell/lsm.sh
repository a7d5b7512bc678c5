# One line of a file, or why there is none. What lies in a folder that may not be entered is not absent.
word() {
  v=
  { IFS= read -r v <"$1"; }
  if [ -n "$v" ]; then value "$1" "$v"; return; fi
  z=absent; if [ -e "$1" ] || shut "$1"; then z=denied; fi
  lack "$1" $z
}
[ ! -d /sys/module/kernel ] || value sysfs mounted
for g in kernel/security/lsm kernel/security/lockdown module/apparmor/parameters/enabled fs/selinux/enforce; do
  word /sys/$g
done
file /sys/kernel/security/apparmor/profiles 200000
f=/etc/selinux/config
if [ -e "$f" ]; then output "$f" 8192 grep -E '^[[:space:]]*SELINUX(TYPE)?=' "$f"; else rec "Y$T$f${T}absent"; fi
# Numbers below /proc/sys are whole in the first read only, and many shells read byte by byte.
set --
for g in kernel/kptr_restrict kernel/dmesg_restrict kernel/unprivileged_bpf_disabled kernel/perf_event_paranoid \
  kernel/yama/ptrace_scope kernel/unprivileged_userns_clone kernel/apparmor_restrict_unprivileged_userns \
  user/max_user_namespaces kernel/kexec_load_disabled kernel/modules_disabled kernel/randomize_va_space \
  kernel/sysrq fs/protected_symlinks fs/protected_hardlinks fs/protected_fifos fs/protected_regular \
  fs/suid_dumpable net/core/bpf_jit_harden net/ipv4/ip_forward net/ipv4/conf/all/route_localnet; do
  set -- "$@" /proc/sys/$g
done
output sysctls 8192 grep -H '' "$@"
# Of the container runtime's configuration only what confines.
w='^[[:space:]]*(imports|enable_selinux|disable_apparmor|selinux|apparmor_profile)[[:space:]]*='
set +f
set -- $runtimes
set -f
i=0
for f do
  [ -f "$f" ] && [ $i -lt 40 ] || continue
  i=$((i + 1)); output "$f" 16384 grep -E "$w" "$f"
done
# Seccomp profiles that a manifest names.
value root "$kr"
f=$kr/seccomp
walk "$f"
o=$(texts sed -n 's/.*localhostProfile["'\'']\{0,1\}[[:space:]]*:[[:space:]]*//p' | head -n 20)
IFS=$N
for a in $o; do
  IFS=$D
  case $a in
  \"*) a=${a#?}; a=${a%%\"*};;
  \'*) a=${a#?}; a=${a%%\'*};;
  *) a=${a%% #*}; z='[,}]*'; a=${a%%$z}; a=${a%"${a##*[! $T]}"};;
  esac
  case /$a/ in //*|*/../*) continue;; esac
  walk "$kr/seccomp/$a"
  file "$kr/seccomp/$a" 65536
done
IFS=$D
looks
# SELinux labels of static pod folders.
[ -e /sys/fs/selinux/enforce ] || return 0
i=0; while [ $i -lt $sn ]; do
  i=$((i + 1)); eval "f=\$s$i"
  [ ! -e "$f" ] || { v=$(run stat -c %C "$f") && { nm "$f"; z=$r; nm "$v"; rec "C$T$z$T$r"; }; }
done
