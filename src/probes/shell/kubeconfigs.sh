# $1: what it is, $2: a kubeconfig. Of its content nothing but the server, certificates, and how it logs in.
kubeconfig() {
  case $kcs in *"//$2//"*) return;; esac
  at "$1" "$2"
  kcs=$kcs$2//
  if [ $kc -lt 24 ]; then kc=$((kc + 1)); eval "kc$kc=\$2"; else lack "$2" budget; fi
}
ua=kubeconfig
kx='s/^[ -]*\(server\|insecure-skip-tls-verify\|client-certificate\):[ "]*\([^ "]*\).*/\1 \2/p
s/^[ -]*\(certificate-authority\)\(-data\)\{0,1\}:.*/\1/p
s/^[ -]*\(client-certificate-data\):[ "]*\([A-Za-z0-9+\/=]*\).*/\1 \2/p
s/^[ -]*\(token\|tokenFile\|password\|exec\|auth-provider\):.*/login \1/p
s/^[ -]*client-key-data:.*/key/p
s/.*["'\''{, ]\(client-[a-z-]*-data\|token\|tokenFile\|password\|exec\|auth-provider\)["'\'']\{0,1\} *:.*/partly/p
$p'
public() {
  open "$1" || { no "$1"; return; }
  o=$({ top 262145 "$1"; echo "${N}x$?"; } | sed -n "$kx")
  z=$(run wc -c <"$1")
  [ "${z:-262145}" -le 262144 ] || o=${o}1
  kf=$1
  nm "$kf"; y=U$T$r; rec "$y${T}read"
  IFS=$N
  for a in $o; do
    IFS=$D
    case $a in
    x0) ;;
    x*) rec "$y${T}partly";;
    'client-certificate-data '*)
      rec "$y${T}client-certificate-data"
      pem "$kf" "$(put "${a#* }" | unbase64)"
      y=U$T$y
      ;;
    *' '*) nm "${a#* }"; rec "$y$T${a%% *}$T$r";;
    *) rec "$y$T$a";;
    esac
  done
  IFS=$D
}
if [ "$(put eA== | base64 -d)" = x ]; then unbase64() { base64 -d; }
else unbase64() { openssl base64 -d -A; }; fi
kcs=// kc=0
i=0; while [ $i -lt $kn ]; do
  i=$((i + 1)); eval "f=\$k$i y=\$w$i"
  case $y in kubelet_kubeconfig|bootstrap_kubeconfig) kubeconfig $y "$f";; esac
done
usual kubelet_kubeconfig $kk $(below agent/kubelet.kubeconfig) /var/lib/k0s/kubelet.conf "$ut/kubeconfig" \
  /var/snap/microk8s/current/credentials/kubelet.config
usual bootstrap_kubeconfig /etc/kubernetes/bootstrap-kubelet.conf "$ut/bootstrap-kubeconfig"
usual super_admin_kubeconfig /etc/kubernetes/super-admin.conf
usual admin_kubeconfig /etc/kubernetes/admin.conf /etc/rancher/rke2/rke2.yaml /etc/rancher/k3s/k3s.yaml \
  /var/lib/k0s/pki/admin.conf /var/snap/microk8s/current/credentials/client.config \
  $(below server/cred/admin.kubeconfig) /var/lib/kubectl/kubeconfig
set +f; set -- /etc/kubernetes/static-pod-resources/kube-apiserver-certs/secrets/node-kubeconfigs/*.kubeconfig; set -f
usual admin_kubeconfig "$@"
i=0; while [ $i -lt $gn ]; do
  i=$((i + 1)); eval "f=\$g$i"
  case $f in
  kubeconfig\ *|authentication-kubeconfig\ *|authorization-kubeconfig\ *) kubeconfig component_kubeconfig "${f#* }";;
  esac
done
set +f
set -- /etc/kubernetes/controller-manager.conf /etc/kubernetes/scheduler.conf /etc/kubernetes/kube-proxy.conf \
  /var/lib/kube-*/kubeconfig* $(set -f; below 'server/cred/*.kubeconfig' 'agent/*.kubeconfig') \
  /etc/kubernetes/static-pod-resources/*/configmaps/*-kubeconfig/kubeconfig \
  /var/lib/k0s/pki/*.conf /var/snap/microk8s/current/credentials/*.config
for f do
  case $f in */admin.*|*/client.config|*/kubelet.*) ;; *) set -f; usual component_kubeconfig "$f"; set +f;; esac
done
set -f
usual user_kubeconfig /root/.kube/config
o=$(run ls /home 2>&1) || { why "$o"; [ $r = absent ] || hid /home $r; o=; }
IFS=$N
for f in $o; do IFS=$D; usual user_kubeconfig "/home/$f/.kube/config"; done
IFS=$D ua=at
looks
i=0; while [ $i -lt $kc ]; do i=$((i + 1)); eval "f=\$kc$i"; public "$f"; done
