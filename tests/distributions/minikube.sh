system buildroot 2025.02 'Buildroot 2025.02' minikube
P=/var/lib/minikube/certs
for n in $P/ca $P/front-proxy-ca $P/etcd/ca; do authority $n; done
for n in apiserver apiserver-kubelet-client front-proxy-client etcd/server etcd/peer; do leaf $P/$n; done
for n in admin super-admin controller-manager scheduler; do
  kubeconfig /etc/kubernetes/$n.conf 600 https://control-plane.minikube.internal:8443 data
done
kubeconfig /etc/kubernetes/kubelet.conf 600 https://control-plane.minikube.internal:8443 \
  'client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem' \
  'client-key: /var/lib/kubelet/pki/kubelet-client-current.pem'
folder /var/lib/kubelet/pki 755
rotated /var/lib/kubelet/pki
file /var/lib/kubelet/config.yaml 644 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
authentication: {anonymous: {enabled: false}, webhook: {cacheTTL: 0s, enabled: true}, x509: {clientCAFile: /var/lib/minikube/certs/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: systemd
containerRuntimeEndpoint: unix:///var/run/cri-dockerd.sock
hairpinMode: hairpin-veth
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
END
M=/etc/kubernetes/manifests
folder $M 755
pod $M/etcd.yaml 600 kube-system/etcd registry.k8s.io/etcd:3.6.4-0 '' "$P/etcd:rw /var/lib/minikube/etcd:rw" \
  etcd --data-dir=/var/lib/minikube/etcd --cert-file=$P/etcd/server.crt --key-file=$P/etcd/server.key
pod $M/kube-apiserver.yaml 600 kube-system/kube-apiserver registry.k8s.io/kube-apiserver:v1.34.0 '' \
  "$P:ro" kube-apiserver --client-ca-file=$P/ca.crt --tls-cert-file=$P/apiserver.crt
folder /var/lib/minikube/etcd 700
folder /var/lib/minikube/etcd/member 700
folder /var/lib/minikube/etcd/member/snap 700
file /var/lib/minikube/etcd/member/snap/db 600 <<<bolt
socket /var/run/cri-dockerd.sock 660
file /lib/systemd/system/kubelet.service 644 <<'END'
[Service]
ExecStart=/var/lib/minikube/binaries/v1.34.0/kubelet
END
file /etc/systemd/system/kubelet.service.d/10-kubeadm.conf 644 <<'END'
[Service]
ExecStart=
ExecStart=/var/lib/minikube/binaries/v1.34.0/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --config=/var/lib/kubelet/config.yaml --hostname-override=minikube --kubeconfig=/etc/kubernetes/kubelet.conf --node-ip=192.168.49.2
END
runs /var/lib/minikube/binaries/v1.34.0/kubelet /var/lib/minikube/binaries/v1.34.0/kubelet \
  --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --config=/var/lib/kubelet/config.yaml \
  --hostname-override=minikube --kubeconfig=/etc/kubernetes/kubelet.conf --node-ip=192.168.49.2
