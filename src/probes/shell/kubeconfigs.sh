# $1: what it is, $2: a kubeconfig. Of its content nothing but the server, certificates, and how it logs in.
kubeconfig() {
  case $kcs in *"//$2//"*) return;; esac
  at "$1" "$2"
  kcs=$kcs$2//
  if [ $kc -lt 24 ]; then kc=$((kc + 1)); eval "kc$kc=\$2"; else nm "$2"; rec "Y$T$r${T}budget"; fi
}
some() { y=$1; shift; for v do [ ! -e "$v" ] && [ ! -L "$v" ] || kubeconfig "$y" "$v"; done; }
kx='s/^[ -]*\(server\):[ "]*\([^ "]*\).*/\1 \2/p
s/^[ -]*\(insecure-skip-tls-verify\):[ "]*\([^ "]*\).*/\1 \2/p
s/^[ -]*\(certificate-authority\):.*/\1/p
s/^[ -]*\(certificate-authority\)-data:.*/\1/p
s/^[ -]*\(client-certificate\):[ "]*\([^ "]*\).*/\1 \2/p
s/^[ -]*\(client-certificate-data\):[ "]*\([A-Za-z0-9+\/=]*\).*/\1 \2/p
s/^[ -]*\(tokenFile\):.*/login \1/p
s/^[ -]*\(token\):.*/login \1/p
s/^[ -]*\(password\):.*/login \1/p
s/^[ -]*\(exec\):.*/login \1/p
s/^[ -]*\(auth-provider\):.*/login \1/p'
public() {
  if [ ! -f "$1" ]; then
    r=kind
    [ -e "$1" ] || { o=$(run ls -ld "$1" 2>&1 >/dev/null) && o=': No such file or directory'; why "$o"; }
  elif [ ! -r "$1" ]; then r=denied
  else
    o=$(top 262144 "$1" | sed -n "$kx")
    kf=$1
    nm "$kf"; rec "U$T$r${T}read"
    IFS=$N
    for a in $o; do
      IFS=$D
      case $a in
      'client-certificate-data '*)
        nm "$kf"; rec "U$T$r${T}client-certificate-data"
        pem "$kf" "$(put "${a#* }" | unbase64)"
        ;;
      *' '*) nm "${a#* }"; z=$r; nm "$kf"; rec "U$T$r$T${a%% *}$T$z";;
      *) nm "$kf"; rec "U$T$r$T$a";;
      esac
    done
    IFS=$D
    return 0
  fi
  z=$r; nm "$1"; rec "Y$T$r$T$z"
}
if [ "$(put eA== | base64 -d)" = x ]; then unbase64() { base64 -d; }
else unbase64() { openssl base64 -d -A; }; fi
kcs=// kc=0
i=0; while [ $i -lt $kn ]; do
  i=$((i + 1)); eval "f=\$k$i y=\$w$i"
  case $y in kubelet_kubeconfig|bootstrap_kubeconfig) kubeconfig $y "$f";; esac
done
some kubelet_kubeconfig /etc/kubernetes/kubelet.conf /var/lib/rancher/rke2/agent/kubelet.kubeconfig \
  /var/lib/rancher/k3s/agent/kubelet.kubeconfig /var/lib/k0s/kubelet.conf "$ut/kubeconfig" \
  /var/snap/microk8s/current/credentials/kubelet.config
some bootstrap_kubeconfig /etc/kubernetes/bootstrap-kubelet.conf
some super_admin_kubeconfig /etc/kubernetes/super-admin.conf
some admin_kubeconfig /etc/kubernetes/admin.conf /etc/rancher/rke2/rke2.yaml /etc/rancher/k3s/k3s.yaml \
  /var/lib/k0s/pki/admin.conf /var/snap/microk8s/current/credentials/client.config \
  /var/lib/rancher/rke2/server/cred/admin.kubeconfig /var/lib/rancher/k3s/server/cred/admin.kubeconfig
i=0; while [ $i -lt $gn ]; do
  i=$((i + 1)); eval "f=\$g$i"
  case $f in
  kubeconfig\ *|authentication-kubeconfig\ *|authorization-kubeconfig\ *) kubeconfig component_kubeconfig "${f#* }";;
  esac
done
set +f
set -- /etc/kubernetes/controller-manager.conf /etc/kubernetes/scheduler.conf /etc/kubernetes/kube-proxy.conf \
  /var/lib/kube-proxy/kubeconfig* /var/lib/rancher/*/server/cred/*.kubeconfig /var/lib/rancher/*/agent/*.kubeconfig \
  /var/lib/k0s/pki/*.conf /var/snap/microk8s/current/credentials/*.config
for f do
  case $f in */admin.*|*/client.config|*/kubelet.*) ;; *) set -f; some component_kubeconfig "$f"; set +f;; esac
done
set -- /root/.kube/config /home/*/.kube/config
set -f
some user_kubeconfig "$@"
looks
i=0; while [ $i -lt $kc ]; do i=$((i + 1)); eval "f=\$kc$i"; public "$f"; done
