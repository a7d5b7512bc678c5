# The newest of what lies in a folder: older copies change nothing.
newest() {
  at "$1" "$2"
  o=$(run ls -At "$2" 2>&1) || { why "$o"; hid "$2" $r; return; }
  z=0
  IFS=$N
  for v in $o; do
    IFS=$D
    z=$((z + 1))
    [ $z -gt 12 ] || at snapshot "$2/$v"
  done
  IFS=$D
  nm "$2"; rec "D$T$r${T}ok$T$z"
}
for f in $(below server/db/snapshots) /var/lib/etcd-backup \
  /var/lib/etcd-snapshots /var/lib/etcdbackup /var/backups/etcd /var/lib/etcd/backup /backup/etcd /opt/etcd/backup \
  /opt/etcd-backup /home/core/assets/backup /var/lib/etcd-auto-backup; do
  ! dir "$f" || newest snapshot_dir "$f"
done
for f in /etc/kubernetes/backup /etc/kubernetes/tmp /var/backups/k8s /var/backups/kubernetes /var/lib/k0s/backup \
  /root/kubernetes-backup /etc/.git; do
  ! dir "$f" || newest backup_dir "$f"
done
looks
# Timers and lines of cron that make copies.
bx='etcdctl.*snapshot\|etcdutl\|etcd-snapshot\|etcd.*backup\|backup.*etcd\|k0s backup'
bx=$bx'\|/etc/kubernetes\|pod-manifests\|velero'
if command -v systemctl >/dev/null; then
  blob 'systemctl list-timers' "$({ run systemctl list-timers --all --no-legend --no-pager; echo "x$?"; } |
    grep -i -e backup -e etcd -e snapshot -e kube -e restic -e borg -e '^x[0-9]*$' | cap 16384 | enc)"
fi
set +f
set -- /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /var/spool/cron/crontabs/* \
  /var/spool/cron/* /etc/systemd/system/*.service /etc/periodic/*/*
set -f
bn=$# bs=
while [ $bn -gt 0 ]; do
  bn=$((bn - 1)); f=$1; shift
  [ $# -lt 400 ] && [ -f "$f" ] && [ -r "$f" ] && set -- "$@" "$f"
  [ ! -d "$f" ] || [ -r "$f" ] || bs=denied
done
[ $# -eq 0 ] || output cron 32768 grep -H -e "^[^#]*\($bx\)" "$@"
if [ -n "$bs" ] || { [ -d /var/spool/cron ] && [ ! -r /var/spool/cron ]; }; then lack cron denied; fi
