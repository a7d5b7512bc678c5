system debian 13 'Debian GNU/Linux 13 (trixie)' k3s-1
B=/var/lib/rancher/k3s
folder $B/server 700
for n in client-ca server-ca request-header-ca etcd/peer-ca etcd/server-ca; do authority $B/server/tls/$n 644 600; done
for n in client-admin client-kube-apiserver serving-kube-apiserver etcd/server-client; do leaf $B/server/tls/$n 644 600; done
for n in admin api-server controller scheduler; do kubeconfig $B/server/cred/$n.kubeconfig 600 https://127.0.0.1:6443 data; done
kubeconfig /etc/rancher/k3s/k3s.yaml 600 https://127.0.0.1:6443 data
file $B/agent/client-ca.crt 600 </.own/ca.crt
file $B/agent/server-ca.crt 600 </.own/ca.crt
for n in client-kubelet client-kube-proxy client-k3s-controller serving-kubelet; do leaf $B/agent/$n 600 600; done
file $B/agent/client-kubelet.crt 600 </.own/node.crt
file $B/agent/client-kubelet.key 600 </.own/node.key
for n in kubelet kubeproxy k3scontroller; do
  kubeconfig $B/agent/$n.kubeconfig 600 https://127.0.0.1:6444 \
    "client-certificate: $B/agent/client-$n.crt" "client-key: $B/agent/client-$n.key"
done
file $B/agent/etc/kubelet.conf.d/00-k3s-defaults.conf 600 <<'END'
address: 0.0.0.0
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /var/lib/rancher/k3s/agent/client-ca.crt
authorization:
  mode: Webhook
  webhook: {cacheAuthorizedTTL: 0s, cacheUnauthorizedTTL: 0s}
cgroupDriver: systemd
clusterDNS: [10.43.0.10]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/k3s/containerd/containerd.sock
evictionHard: {imagefs.available: 5%, nodefs.available: 5%}
failSwapOn: false
healthzBindAddress: 127.0.0.1
kind: KubeletConfiguration
resolvConf: /run/systemd/resolve/resolv.conf
serializeImagePulls: false
staticPodPath: /var/lib/rancher/k3s/agent/pod-manifests
tlsCertFile: /var/lib/rancher/k3s/agent/serving-kubelet.crt
tlsPrivateKeyFile: /var/lib/rancher/k3s/agent/serving-kubelet.key
END
M=$B/agent/pod-manifests
folder $M 700
pod $M/kube-vip.yaml 600 kube-system/kube-vip ghcr.io/kube-vip/kube-vip:v0.9.2 '' '/etc/rancher/k3s/k3s.yaml:ro' \
  /kube-vip manager
folder $B/server/db/etcd 700
folder $B/server/db/etcd/member 700
folder $B/server/db/etcd/member/snap 700
file $B/server/db/etcd/member/snap/db 600 <<<bolt
file $B/server/db/etcd/config 600 <<<"data-dir: $B/server/db/etcd"
folder $B/server/db/snapshots 700
printf 'cluster-init: true\nkubelet-arg:\n  - "max-pods=200"\n' | file /etc/rancher/k3s/config.yaml 600
socket /run/k3s/containerd/containerd.sock 660
file /etc/systemd/system/k3s.service 644 <<'END'
[Service]
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/k3s.service.env
ExecStart=/usr/local/bin/k3s \
    server \
	'--token' \
	'K10secret' \
	'--kubelet-arg' \
	'event-qps=0' \
	'--kubelet-arg=pod-max-pids=4096' \

END
file /etc/systemd/system/k3s.service.env 600 </dev/null
# k3s writes over its command line, since that may hold a token.
file /usr/local/bin/k3s 755 </.own/stay
runs $B/data/0123456789abcdef/bin/k3s-server '/usr/local/bin/k3s server' '' '' ''
