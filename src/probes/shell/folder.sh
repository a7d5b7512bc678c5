cwd= mn=0
for f in /etc/kubernetes/manifests $(below agent/pod-manifests) /etc/kubernetes/static-pods; do
  [ ! -e "$f" ] || want folder "$f"
done
# What the kubelet would load: not recursive, names with a dot in front left out, links followed.
loads() {
  case ${1##*/} in .*) return 0;; esac
  [ ! -d "$1" ] || return 0
  mn=$((mn + 1)); eval "m$mn=\$1"
}
i=0; while [ $i -lt $sn ]; do
  i=$((i + 1)); eval "f=\$s$i"; walk "$f"
  if [ -d "$f" ]; then list "$f" loads; elif [ -e "$f" ]; then mn=$((mn + 1)); eval "m$mn=\$f"; fi
done
looks
