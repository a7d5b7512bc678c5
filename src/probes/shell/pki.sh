# Absolute paths in flags, out of manifests and of components that run: the first word is the flag.
gn=0
flags() {
  IFS=$N; set -- $1; IFS=$D
  for a do
    case $gs in *"$N$a$N"*) continue;; esac
    [ $gn -lt 150 ] || break
    gs=$gs$a$N
    gn=$((gn + 1)); eval "g$gn=\$a"
  done
}
gs=$N
gx='s/^.*--\([a-z-]*\)[= ]\(\/[^"'\'' ,]*\).*/\1 \2/p'
flags "$(texts sed -n "$gx" | cap 60000)"
[ -z "$parts" ] || flags "$(run cat $parts | tr '\0' '\n' | sed -n "$gx" | cap 60000)"
# What a flag's path is, where it is a certificate or a key.
keeps() {
  case $1 in
  service-account-key-file) y=public_key;;
  service-account-signing-key-file|service-account-private-key-file) y=private_key;;
  *-private-key-file|*-keyfile|*-key-file|key-file|*-signing-key-file|kubelet-client-key) y=private_key;;
  *-ca-file|*-cert-file|cert-file|*-cafile|*-certfile) y=certificate;;
  kubelet-client-certificate|kubelet-certificate-authority) y=certificate;;
  *) return 1;;
  esac
}
# In a folder: by its name.
pkifile() {
  case $1 in
  *.crt|*.cert|*.cer) pcert certificate "$1";;
  *-key.pem|*.key) at private_key "$1";;
  *.pub) at public_key "$1";;
  *.pem) pcert pki_other "$1";;
  *) if [ -L "$1" ] || ! dir "$1"; then at pki_other "$1"; else pdir "$1"; fi;;
  esac
}
pdirs=// pd=0 pcs=// pc=0
pdir() {
  case $pdirs in *"//$1//"*) return;; esac
  pdirs=$pdirs$1//
  if [ $pd -lt 20 ]; then pd=$((pd + 1)); eval "pd$pd=\$1"; else hid "$1" more; fi
}
pcert() {
  case $3,$pcs in ,*"//$2//"*) return;; esac
  at "$1" "$2" "$3"
  case $pcs in *"//$2//"*) return;; esac
  pcs=$pcs$2//
  if [ $pc -lt 64 ]; then pc=$((pc + 1)); eval "pc$pc=\$2"; else lack "$2" budget; fi
}
i=0; while [ $i -lt $gn ]; do
  i=$((i + 1)); eval "f=\$g$i"; a=${f%% *} f=${f#* }
  case $a in cert-dir) pdir "$f";; esac
  keeps "$a" || continue
  case $y in certificate) pcert "$y" "$f" "$a";; *) at "$y" "$f" "$a";; esac
  case $f in */*/*) ! dir "${f%/*}" || pdir "${f%/*}";; esac
done
for f in /etc/kubernetes/pki /etc/kubernetes/ssl /etc/ssl/etcd/ssl /etc/etcd/pki /etc/kubernetes/certs /srv/kubernetes \
  /etc/srv/kubernetes/pki $(below server/tls agent) /var/lib/k0s/pki /var/snap/microk8s/current/certs \
  /var/lib/minikube/certs; do
  ! dir "$f" || pdir "$f"
done
set +f; set -- /mnt/*/pki/*/clients /mnt/*/pki/*/peers; set -f
for f do [ ! -d "$f" ] || pdir "$f"; done
case $pdirs in *//etc/kubernetes/static-pod-resources//*) ;; *)
  set +f; set -- /etc/kubernetes/static-pod-resources/*-certs/secrets/*; set -f
  for f do [ ! -d "$f" ] || pdir "$f"; done
esac
i=0; while [ $i -lt $kn ]; do
  i=$((i + 1)); eval "f=\$k$i y=\$w$i"
  case $y in client_ca) pcert certificate "$f" client-ca-file;; certificate) pcert certificate "$f" tls-cert-file;; esac
done
i=0; while [ $i -lt $pd ]; do
  i=$((i + 1)); eval "f=\$pd$i"
  case $f in
  */agent)
    at pki_dir "$f"; set +f; set -- "$f"/*.crt "$f"/*.key; set -f
    for f do ! there "$f" || pkifile "$f"; done
    ;;
  *) inside pki_dir "$f" pkifile;;
  esac
done
for f in "$up"/kubelet-client-current.pem "$up"/kubelet-server-current.pem "$up"/kubelet.crt; do
  ! there "$f" || pcert pki_other "$f"
done
looks
i=0; while [ $i -lt $pc ]; do i=$((i + 1)); eval "f=\$pc$i"; certs "$f"; done
