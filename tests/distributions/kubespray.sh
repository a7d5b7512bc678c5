system ubuntu 24.04 'Ubuntu 24.04.3 LTS' node1
printf 'kube:x:992:992::/:/sbin/nologin\netcd:x:993:993::/:/sbin/nologin\n' >>/etc/passwd
printf 'kube-cert:x:994:\nkube:x:992:\netcd:x:993:\n' >>/etc/group
S=/etc/kubernetes/ssl
authority $S/ca 644 600
authority $S/front-proxy-ca 644 600
for n in apiserver apiserver-kubelet-client front-proxy-client; do leaf $S/$n; done
file $S/sa.key 600 </.own/leaf.key
chown 992:994 $S
ln -s ssl /etc/kubernetes/pki
for n in ca member-node1 admin-node1 node-node1; do
  file /etc/ssl/etcd/ssl/$n.pem 600 993:0 </.own/leaf.crt
  file /etc/ssl/etcd/ssl/$n-key.pem 600 993:0 </.own/leaf.key
done
for n in admin super-admin controller-manager scheduler; do
  kubeconfig /etc/kubernetes/$n.conf 600 https://198.51.100.31:6443 data
done
kubeconfig /etc/kubernetes/kubelet.conf 600 https://127.0.0.1:6443 \
  'client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem' \
  'client-key: /var/lib/kubelet/pki/kubelet-client-current.pem'
folder /var/lib/kubelet/pki 755
rotated /var/lib/kubelet/pki
file /etc/kubernetes/kubelet-config.yaml 600 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
nodeStatusUpdateFrequency: "10s"
failSwapOn: True
authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: True
  x509:
    clientCAFile: /etc/kubernetes/ssl/ca.crt
authorization:
  mode: Webhook
staticPodPath: "/etc/kubernetes/manifests"
cgroupDriver: systemd
containerLogMaxFiles: 5
maxPods: 110
address: "198.51.100.31"
readOnlyPort: 0
healthzPort: 10248
healthzBindAddress: "127.0.0.1"
kubeletCgroups: /system.slice/kubelet.service
clusterDomain: cluster.local
protectKernelDefaults: true
rotateCertificates: true
END
file /etc/kubernetes/kubelet.env 600 <<'END'
KUBE_LOG_LEVEL="--v=2"
KUBELET_ADDRESS="--node-ip=198.51.100.31"
KUBELET_HOSTNAME="--hostname-override=node1"
KUBELET_ARGS="--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --config=/etc/kubernetes/kubelet-config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf --runtime-cgroups=/system.slice/containerd.service"
END
file /etc/systemd/system/kubelet.service 644 <<'END'
[Service]
EnvironmentFile=-/etc/kubernetes/kubelet.env
ExecStart=/usr/local/bin/kubelet $KUBE_LOGTOSTDERR $KUBE_LOG_LEVEL $KUBELET_API_SERVER $KUBELET_ADDRESS $KUBELET_PORT $KUBELET_HOSTNAME $KUBELET_ARGS
END
M=/etc/kubernetes/manifests
folder $M 755
chown 992:0 $M /etc/kubernetes
pod $M/kube-apiserver.yaml 600 kube-system/kube-apiserver registry.k8s.io/kube-apiserver:v1.33.4 '' \
  "$S:ro /etc/ssl/etcd/ssl:ro" kube-apiserver --client-ca-file=$S/ca.crt --tls-cert-file=$S/apiserver.crt \
  --etcd-cafile=/etc/ssl/etcd/ssl/ca.pem --etcd-certfile=/etc/ssl/etcd/ssl/node-node1.pem
pod $M/kube-controller-manager.yaml 600 kube-system/kube-controller-manager \
  registry.k8s.io/kube-controller-manager:v1.33.4 '' '/etc/kubernetes/controller-manager.conf:ro' \
  kube-controller-manager --kubeconfig=/etc/kubernetes/controller-manager.conf
folder /var/lib/etcd 700 993:0
folder /var/lib/etcd/member 700 993:0
folder /var/lib/etcd/member/snap 700 993:0
file /var/lib/etcd/member/snap/db 600 993:0 <<<bolt
socket /run/containerd/containerd.sock 660
runs_as 993 /usr/local/bin/etcd
runs /usr/local/bin/kubelet /usr/local/bin/kubelet --v=2 --node-ip=198.51.100.31 --hostname-override=node1 \
  --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --config=/etc/kubernetes/kubelet-config.yaml \
  --kubeconfig=/etc/kubernetes/kubelet.conf --runtime-cgroups=/system.slice/containerd.service
