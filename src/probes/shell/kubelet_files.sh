# $1: a unit or a drop-in: the files that it reads variables from.
environment() {
  o=$(run sed -n 's/^[[:space:]]*EnvironmentFile[[:space:]]*=[[:space:]]*-\{0,1\}//p' "$1" |
    sed -e "s/%[Np]/$uu/g" -e "s/%n/$uu.service/g")
  set +f; set -- $o; set -f
  for y do at environment "$y"; done
}
override() { case $1 in *.conf) at unit_drop_in "$1"; environment "$1";; esac; }
us='kubelet rke2-server rke2-agent k3s k3s-agent k0scontroller k0sworker snap.microk8s.daemon-kubelite'
ud='/etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system'
for uu in $us; do
  have=
  for ui in $ud; do
    [ -e "$ui/$uu.service" ] || continue
    have=1; at unit "$ui/$uu.service"; environment "$ui/$uu.service"
  done
  [ -n "$have" ] || continue
  at unit_drop_in_dir "/etc/systemd/system/$uu.service.d"
  for ui in $ud; do [ ! -d "$ui/$uu.service.d" ] || inside unit_drop_in_dir "$ui/$uu.service.d" override; done
done
# What the service manager has loaded may come from elsewhere.
if command -v systemctl >/dev/null; then
  set --; for uu in $us; do set -- "$@" "$uu.service"; done
  o=$(
    run systemctl show "$@" -p Id -p LoadState -p ActiveState -p ActiveEnterTimestampMonotonic -p FragmentPath \
      -p DropInPaths -p EnvironmentFiles
    echo "x$?"
  )
  blob 'systemctl show' "$(put "$o" | enc)"
  IFS=$N
  for f in $o; do
    IFS=$D
    case $f in
    FragmentPath=/*) at unit "${f#*=}";;
    DropInPaths=/*) for y in ${f#*=}; do at unit_drop_in "$y"; done;;
    EnvironmentFiles=/*) f=${f#*=}; at environment "${f%" (ignore"*}";;
    esac
  done
  IFS=$D
fi
usual unit /etc/init.d/kubelet
usual environment /etc/conf.d/kubelet /etc/rancher/k3s/config.yaml /etc/rancher/rke2/config.yaml \
  /var/snap/microk8s/current/args/kubelet
entry() { at "$ur" "$1"; }
ur=environment
for f in /etc/rancher/k3s/config.yaml.d /etc/rancher/rke2/config.yaml.d; do
  [ ! -d "$f" ] || inside unit_drop_in_dir "$f" entry
done
i=0; while [ $i -lt $cn ]; do i=$((i + 1)); eval "f=\$c$i"; at kubelet_config "$f"; done
i=0; while [ $i -lt $vn ]; do i=$((i + 1)); eval "f=\$v$i"; at kubelet_config_dir "$f"; done
have=
i=0; while [ $i -lt $kn ]; do
  i=$((i + 1)); eval "f=\$k$i y=\$w$i"
  have="$have $y"
  case $y in
  kubelet_pki) up=$f;;
  root_dir) ut=$f; at "$y" "$f";;
  *) at "$y" "$f";;
  esac
done
case $have in *root_dir*) ;; *) ut=/var/lib/kubelet; at root_dir "$ut";; esac
case $have in *kubelet_pki*) ;; *) up=$ut/pki;; esac
ur=kubelet_pki
inside kubelet_pki "$up" entry
usual kubelet_config "$ut/instance-config.yaml"
# OpenShift's kubelet has its configuration, and no kubeconfig, under this name.
kk=/etc/kubernetes/kubelet.conf
case $wanted in *"//config:$kk//"*) kk=;; esac
case $have in *kubelet_kubeconfig*) ;; *)
  usual kubelet_kubeconfig $kk "$ut/kubeconfig" /etc/kubernetes/kubelet/kubeconfig \
    /etc/kubernetes/kubeconfig-kubelet /var/lib/k0s/kubelet.conf /var/snap/microk8s/current/credentials/kubelet.config
esac
usual kubelet_kubeconfig $(below agent/kubelet.kubeconfig)
usual bootstrap_kubeconfig /etc/kubernetes/bootstrap-kubelet.conf "$ut/bootstrap-kubeconfig"
usual runtime_socket /run/containerd/containerd.sock /run/k3s/containerd/containerd.sock /run/crio/crio.sock \
  /var/run/cri-dockerd.sock /run/docker.sock /var/snap/microk8s/common/run/containerd.sock /run/k0s/containerd.sock
usual kubelet_socket "$ut/pods-api/pods-api.sock"
usual pull_credential "$ut/config.json" "$ut/.dockercfg" /root/.docker/config.json /root/.dockercfg
looks
