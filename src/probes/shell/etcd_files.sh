# Folder and database of etcd: those that flags name, and where distributions put them.
database() {
  case $es in *"//$1//"*) return;; esac
  es=$es$1//
  at etcd_data "$1"
  usual etcd_data "$1/member" "$1/member/snap" "$1/member/wal" "$1/member/snap/db"
  [ ! -f "$1/member/snap/db" ] || ed=$1/member/snap/db
}
es=// ed=
i=0; while [ $i -lt $gn ]; do
  i=$((i + 1)); eval "f=\$g$i"
  case $f in
  data-dir\ *etcd*) database "${f#* }";;
  data-dir\ *) walk "${f#* }"; walk "${f#* }/member/snap/db";;
  wal-dir\ *) at etcd_data "${f#* }" wal-dir;;
  config-file\ *) at etcd_config "${f#* }" config-file;;
  esac
done
for f in /var/lib/etcd $(below server/db/etcd) /var/lib/k0s/etcd /var/lib/minikube/etcd \
  /var/snap/microk8s/current/var/kubernetes/backend; do
  ! dir "$f" || database "$f"
done
# Volumes of etcd-manager.
set +f; set -- /mnt/*/data/*; set -f
for f do [ ! -d "$f/member" ] || database "$f"; done
usual etcd_config $(below server/db/etcd/config)
usual etcd_data $(below server/db/state.db) /var/lib/k0s/db/state.db
looks
