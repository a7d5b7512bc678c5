system debian 12 'Debian GNU/Linux 12 (bookworm)' cp-1
P=/etc/kubernetes/pki
for n in $P/ca $P/front-proxy-ca $P/etcd/ca; do authority $n; done
for n in apiserver apiserver-kubelet-client apiserver-etcd-client front-proxy-client etcd/server etcd/peer \
  etcd/healthcheck-client; do leaf $P/$n; done
file $P/sa.key 600 </.own/leaf.key
openssl pkey -in /.own/leaf.key -pubout | file $P/sa.pub 600
for n in admin super-admin controller-manager scheduler; do
  kubeconfig /etc/kubernetes/$n.conf 600 https://198.51.100.11:6443 data
done
kubeconfig /etc/kubernetes/kubelet.conf 600 https://198.51.100.11:6443 \
  'client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem' \
  'client-key: /var/lib/kubelet/pki/kubelet-client-current.pem'
folder /var/lib/kubelet 700
folder /var/lib/kubelet/pki 755
leaf /var/lib/kubelet/pki/kubelet
rotated /var/lib/kubelet/pki
file /var/lib/kubelet/config.yaml 644 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
cgroupDriver: systemd
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
kind: KubeletConfiguration
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
END
file /var/lib/kubelet/instance-config.yaml 644 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
kind: KubeletConfiguration
END
echo 'KUBELET_KUBEADM_ARGS="--node-ip=198.51.100.11"' | file /var/lib/kubelet/kubeadm-flags.env 644
M=/etc/kubernetes/manifests
folder $M 700
pod $M/etcd.yaml 600 kube-system/etcd registry.k8s.io/etcd:3.6.5-0 '' '/etc/kubernetes/pki/etcd:rw /var/lib/etcd:rw' \
  etcd --data-dir=/var/lib/etcd --cert-file=$P/etcd/server.crt --key-file=$P/etcd/server.key \
  --trusted-ca-file=$P/etcd/ca.crt --client-cert-auth=true
pod $M/kube-apiserver.yaml 600 kube-system/kube-apiserver registry.k8s.io/kube-apiserver:v1.37.2 '' \
  '/etc/kubernetes/pki:ro' kube-apiserver --client-ca-file=$P/ca.crt --tls-cert-file=$P/apiserver.crt \
  --tls-private-key-file=$P/apiserver.key --service-account-key-file=$P/sa.pub
pod $M/kube-controller-manager.yaml 600 kube-system/kube-controller-manager \
  registry.k8s.io/kube-controller-manager:v1.37.2 '' '/etc/kubernetes/pki:ro /etc/kubernetes/controller-manager.conf:ro' \
  kube-controller-manager --kubeconfig=/etc/kubernetes/controller-manager.conf
pod $M/kube-scheduler.yaml 600 kube-system/kube-scheduler registry.k8s.io/kube-scheduler:v1.37.2 '' \
  '/etc/kubernetes/scheduler.conf:ro' kube-scheduler --kubeconfig=/etc/kubernetes/scheduler.conf
folder /var/lib/etcd 700
folder /var/lib/etcd/member 700
folder /var/lib/etcd/member/snap 700
file /var/lib/etcd/member/snap/db 600 <<<bolt
socket /run/containerd/containerd.sock 660
file /usr/lib/systemd/system/kubelet.service 644 <<'END'
[Service]
ExecStart=/usr/bin/kubelet
END
file /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf 644 <<'END'
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
END
runs /usr/bin/kubelet /usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
  --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml --node-ip=198.51.100.11
