# A system of its own below $W, without anything of this machine but its programs. Sourced by bash as process 1 of
# a new mount, process, network and host name namespace; what follows it puts a distribution's files and processes
# there.
set -e
mount --make-rprivate /
R=$W/root
mkdir -p "$R"
mount -t tmpfs -o size=64m,mode=755 tmpfs "$R"
mkdir -p "$R"/{usr,dev,proc,sys,etc,var/log,run,home,mnt,srv,opt,.own/up,.own/work,.own/old}
mkdir -m 700 "$R/root"
ln -s /run "$R/var/run"
mkdir -m 1777 "$R/tmp"
# Named from within: where this machine keeps it is not the node's.
(cd "$R" && mount -t overlay overlay -o lowerdir=/usr,upperdir=.own/up,workdir=.own/work usr)
rm -rf "$R"/usr/lib/systemd/system "$R"/usr/local/lib/systemd
# They would speak of this machine, or of none.
rm -f "$R"/usr/bin/{systemctl,journalctl,timedatectl}
for l in bin sbin lib lib64; do [ ! -L "/$l" ] || ln -s "usr/$l" "$R/$l"; done
mknod -m 666 "$R/dev/null" c 1 3
mknod -m 666 "$R/dev/urandom" c 1 9
mount -t proc proc "$R/proc"
cp "$STAY" "$R/.own/stay"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=kubernetes \
  -keyout "$R"/.own/ca.key -out "$R"/.own/ca.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=leaf \
  -addext basicConstraints=critical,CA:FALSE -CA "$R"/.own/ca.crt -CAkey "$R"/.own/ca.key \
  -keyout "$R"/.own/leaf.key -out "$R"/.own/leaf.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
  -subj /O=system:nodes/CN=system:node:node-1 -addext extendedKeyUsage=clientAuth \
  -addext basicConstraints=critical,CA:FALSE -CA "$R"/.own/ca.crt -CAkey "$R"/.own/ca.key \
  -keyout "$R"/.own/node.key -out "$R"/.own/node.crt 2>/dev/null
cd "$R"
pivot_root . .own/old
cd /
umount -l /.own/old
umask 022

# $1: a file with the text of the standard input; $2: its mode; $3: its owner.
file() { mkdir -p "${1%/*}"; cat >"$1"; chmod "$2" "$1"; [ -z "${3-}" ] || chown "$3" "$1"; }
folder() { mkdir -p "$1"; chmod "$2" "$1"; [ -z "${3-}" ] || chown "$3" "$1"; }
# $1: a program, $2: the first word of its command line, then the others. It does nothing.
runs() {
  mkdir -p "${1%/*}"
  [ -e "$1" ] || { cp /.own/stay "$1"; chmod 755 "$1"; }
  (p=$1 a=$2; shift 2; exec -a "$a" "$p" "$@" </dev/null >/dev/null 2>&1) &
}
# The same as user $1, whose command line begins with the program's path.
runs_as() {
  mkdir -p "${2%/*}"
  [ -e "$2" ] || { cp /.own/stay "$2"; chmod 755 "$2"; }
  setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}" </dev/null >/dev/null 2>&1 &
}
# Until every process that was started has its own program.
settle() {
  for p in $(jobs -p); do
    for ((n = 0; n < 1000; n++)); do
      case $(readlink "/proc/$p/exe") in */bash|*/setpriv) sleep 0.02;; *) break;; esac
    done
  done
}
socket() { mkdir -p "${1%/*}"; (exec -a socket /.own/stay "$1"); chmod "$2" "$1"; [ -z "${3-}" ] || chown "$3" "$1"; }
# Authorities and certificates with their keys, by the path without its end: $1, then modes of both and the owner.
authority() { file "$1.crt" "${2-644}" "${4-}" </.own/ca.crt; file "$1.key" "${3-600}" "${4-}" </.own/ca.key; }
leaf() { file "$1.crt" "${2-644}" "${4-}" </.own/leaf.crt; file "$1.key" "${3-600}" "${4-}" </.own/leaf.key; }
# The kubelet's own pair in one file, as it rotates them.
rotated() {
  cat /.own/node.crt /.own/node.key | file "$1/kubelet-client-2026-11-24-17-10-28.pem" 600
  ln -s "$1/kubelet-client-2026-11-24-17-10-28.pem" "$1/kubelet-client-current.pem"
}
# $1: path, $2: mode, $3: server, then how it logs in, line by line.
kubeconfig() {
  {
    printf 'apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: %s\n    server: %s\n' \
      "$(base64 -w0 </.own/ca.crt)" "$3"
    printf '  name: local\ncontexts:\n- context:\n    cluster: local\n    user: user\n  name: Default\n'
    printf 'current-context: Default\nusers:\n- name: user\n  user:\n'
    case $4 in
    node) printf '    client-certificate-data: %s\n    client-key-data: %s\n' "$(base64 -w0 </.own/node.crt)" \
      "$(base64 -w0 </.own/node.key)";;
    data) printf '    client-certificate-data: %s\n    client-key-data: %s\n' "$(base64 -w0 </.own/leaf.crt)" \
      "$(base64 -w0 </.own/leaf.key)";;
    *) printf '    %s\n' "${@:4}";;
    esac
  } | file "$1" "$2"
}
# $1: path, $2: mode, $3: namespace/name, $4: image, $5: a pinned uid or nothing, $6: host paths, each with :ro or :rw,
# then the command line.
pod() {
  {
    printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: %s\n' "${3#*/}" "${3%/*}"
    [ -z "$5" ] || printf '  uid: %s\n' "$5"
    printf 'spec:\n  containers:\n  - name: %s\n    image: %s\n    command:\n' "${3#*/}" "$4"
    printf '    - %s\n' "${@:7}"
    [ -z "$6" ] || printf '    volumeMounts:\n'
    n=0; for v in $6; do
      printf '    - name: v%s\n      mountPath: %s\n' $n "${v%:*}"
      case $v in *:ro) printf '      readOnly: true\n';; esac
      n=$((n + 1))
    done
    printf '  hostNetwork: true\n  priorityClassName: system-node-critical\n'
    [ -z "$6" ] || printf '  volumes:\n'
    n=0; for v in $6; do printf '  - name: v%s\n    hostPath:\n      path: %s\n' $n "${v%:*}"; n=$((n + 1)); done
  } | file "$1" "$2"
}
# What servers of k3s and of RKE2 have alike, below $B: $1: its name, $2: the mode of its agent's certificates, then
# lines that only one of them writes for its kubelet, in two places.
rancher() {
  B=/var/lib/rancher/$1 M=$B/agent/pod-manifests
  folder "$B/server" 700
  for n in client-ca server-ca request-header-ca etcd/peer-ca etcd/server-ca; do authority $B/server/tls/$n 644 600; done
  for n in client-admin client-kube-apiserver serving-kube-apiserver etcd/server-client; do
    leaf $B/server/tls/$n 644 600
  done
  for n in admin api-server controller scheduler; do
    kubeconfig $B/server/cred/$n.kubeconfig 600 https://127.0.0.1:6443 data
  done
  kubeconfig "/etc/rancher/$1/$1.yaml" 600 https://127.0.0.1:6443 data
  for n in client-ca server-ca; do file $B/agent/$n.crt "$2" </.own/ca.crt; done
  for n in client-kubelet client-kube-proxy "client-$1-controller" serving-kubelet; do leaf "$B/agent/$n" "$2" 600; done
  file $B/agent/client-kubelet.crt "$2" </.own/node.crt
  file $B/agent/client-kubelet.key 600 </.own/node.key
  grep . <<END | file "$B/agent/etc/kubelet.conf.d/00-$1-defaults.conf" 600
address: 0.0.0.0
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: $B/agent/client-ca.crt
authorization:
  mode: Webhook
  webhook: {cacheAuthorizedTTL: 0s, cacheUnauthorizedTTL: 0s}
cgroupDriver: systemd
${3-}
containerRuntimeEndpoint: unix:///run/k3s/containerd/containerd.sock
evictionHard: {imagefs.available: 5%, nodefs.available: 5%}
failSwapOn: false
healthzBindAddress: 127.0.0.1
kind: KubeletConfiguration
${4-}
serializeImagePulls: false
staticPodPath: $M
tlsCertFile: $B/agent/serving-kubelet.crt
tlsPrivateKeyFile: $B/agent/serving-kubelet.key
END
  folder $M 700
  for n in etcd etcd/member etcd/member/snap snapshots; do folder $B/server/db/$n 700; done
  file $B/server/db/etcd/member/snap/db 600 <<<bolt
  file $B/server/db/etcd/config 600 <<<"data-dir: $B/server/db/etcd"
  socket /run/k3s/containerd/containerd.sock 660
}
system() { printf 'ID=%s\nVERSION_ID="%s"\nPRETTY_NAME="%s"\n' "$1" "$2" "$3" | file /etc/os-release 644; hostname "$4"; }
file /etc/passwd 644 <<'END'
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/:/usr/sbin/nologin
END
file /etc/group 644 <<'END'
root:x:0:
nogroup:x:65534:
END
echo 0123456789abcdef0123456789abcdef | file /etc/machine-id 444
