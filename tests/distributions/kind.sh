system debian 12 'Debian GNU/Linux 12 (bookworm)' kind-control-plane
P=/etc/kubernetes/pki
for n in $P/ca $P/etcd/ca; do authority $n; done
for n in apiserver etcd/server; do leaf $P/$n; done
for n in admin super-admin controller-manager scheduler; do
  kubeconfig /etc/kubernetes/$n.conf 600 https://kind-control-plane:6443 data
done
kubeconfig /etc/kubernetes/kubelet.conf 600 https://kind-control-plane:6443 \
  'client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem' \
  'client-key: /var/lib/kubelet/pki/kubelet-client-current.pem'
folder /var/lib/kubelet/pki 755
rotated /var/lib/kubelet/pki
file /var/lib/kubelet/config.yaml 644 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
authentication: {anonymous: {enabled: false}, webhook: {cacheTTL: 0s, enabled: true}, x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: systemd
cgroupRoot: /kubelet
evictionHard: {imagefs.available: 0%, nodefs.available: 0%, nodefs.inodesFree: 0%}
failSwapOn: false
imageGCHighThresholdPercent: 100
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
END
echo 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-ip=172.18.0.2"' |
  file /var/lib/kubelet/kubeadm-flags.env 644
M=/etc/kubernetes/manifests
folder $M 755
pod $M/etcd.yaml 600 kube-system/etcd registry.k8s.io/etcd:3.6.5-0 '' '/etc/kubernetes/pki/etcd:rw /var/lib/etcd:rw' \
  etcd --data-dir=/var/lib/etcd --cert-file=$P/etcd/server.crt --key-file=$P/etcd/server.key
pod $M/kube-apiserver.yaml 600 kube-system/kube-apiserver registry.k8s.io/kube-apiserver:v1.34.0 '' \
  '/etc/kubernetes/pki:ro' kube-apiserver --client-ca-file=$P/ca.crt --tls-cert-file=$P/apiserver.crt
folder /var/lib/etcd 700
folder /var/lib/etcd/member 700
folder /var/lib/etcd/member/snap 700
file /var/lib/etcd/member/snap/db 600 <<<bolt
socket /run/containerd/containerd.sock 660
file /etc/systemd/system/kubelet.service 644 <<'END'
[Service]
ExecStart=/usr/bin/kubelet --runtime-cgroups=/system.slice/containerd.service
END
file /etc/systemd/system/kubelet.service.d/11-kind.conf 644 <<'END'
[Service]
ExecStartPre=/bin/sh -euc "if [ -f /sys/fs/cgroup/cgroup.controllers ]; then /kind/bin/create-kubelet-cgroup-v2.sh; fi"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
END
runs /usr/bin/kubelet /usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
  --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml \
  --container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-ip=172.18.0.2 \
  --node-labels= --pod-infra-container-image=registry.k8s.io/pause:3.10 --provider-id=kind://docker/kind/kind-control-plane \
  --runtime-cgroups=/system.slice/containerd.service
