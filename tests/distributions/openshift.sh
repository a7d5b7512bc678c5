system rhcos 9.6 'Red Hat Enterprise Linux CoreOS 9.6.20251013-0 (Plow)' master-0
file /etc/kubernetes/kubelet.conf 644 <<'END'
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  x509:
    clientCAFile: /etc/kubernetes/kubelet-ca.crt
  anonymous:
    enabled: false
cgroupDriver: systemd
cgroupRoot: /
clusterDomain: cluster.local
containerLogMaxSize: 50Mi
maxPods: 250
kubeAPIQPS: 50
kubeAPIBurst: 100
podPidsLimit: 4096
rotateCertificates: true
serializeImagePulls: false
staticPodPath: /etc/kubernetes/manifests
systemCgroups: /system.slice
serverTLSBootstrap: true
tlsMinVersion: VersionTLS12
tlsCipherSuites:
  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
END
file /etc/kubernetes/kubelet-ca.crt 644 </.own/ca.crt
kubeconfig /etc/kubernetes/kubeconfig 600 https://api-int.example.test:6443 'token: throwaway'
kubeconfig /var/lib/kubelet/kubeconfig 600 https://api-int.example.test:6443 \
  'client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem' \
  'client-key: /var/lib/kubelet/pki/kubelet-client-current.pem'
folder /var/lib/kubelet/pki 755
rotated /var/lib/kubelet/pki
M=/etc/kubernetes/manifests
S=/etc/kubernetes/static-pod-resources
folder $M 755
pod $M/etcd-pod.yaml 600 openshift-etcd/etcd quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:1111111111111111111111111111111111111111111111111111111111111111 \
  '' "$S/etcd-pod-7:ro $S/etcd-certs:ro /var/lib/etcd:rw" /bin/sh -c '"exec etcd --data-dir=/var/lib/etcd --cert-file=/etc/kubernetes/static-pod-resources/etcd-certs/secrets/etcd-all-certs/etcd-serving-master-0.crt"'
pod $M/kube-apiserver-pod.yaml 600 openshift-kube-apiserver/kube-apiserver quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:2222222222222222222222222222222222222222222222222222222222222222 \
  '' "$S/kube-apiserver-pod-12:ro $S/kube-apiserver-certs:ro /var/log/kube-apiserver:rw" \
  /bin/bash -ec '"exec watch-termination hyperkube kube-apiserver --openshift-config=/etc/kubernetes/static-pod-resources/kube-apiserver-pod-12/configmaps/config/config.yaml"'
pod $M/kube-controller-manager-pod.yaml 600 openshift-kube-controller-manager/kube-controller-manager quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:3333333333333333333333333333333333333333333333333333333333333333 \
  '' "$S/kube-controller-manager-pod-9:ro" hyperkube kube-controller-manager
mkdir -p $S/kube-apiserver-pod-12
cp $M/kube-apiserver-pod.yaml $S/kube-apiserver-pod-12/
for n in etcd-certs/secrets/etcd-all-certs/etcd-serving-master-0 etcd-certs/secrets/etcd-all-certs/etcd-peer-master-0 \
  kube-apiserver-certs/secrets/service-network-serving-certkey/tls kube-apiserver-certs/secrets/aggregator-client/tls; do
  leaf $S/$n 600 600
done
kubeconfig $S/kube-apiserver-certs/secrets/node-kubeconfigs/lb-int.kubeconfig 600 https://api-int.example.test:6443 data
for n in localhost localhost-recovery lb-ext; do
  kubeconfig $S/kube-apiserver-certs/secrets/node-kubeconfigs/$n.kubeconfig 600 https://localhost:6443 data
done
kubeconfig $S/kube-controller-manager-pod-9/configmaps/controller-manager-kubeconfig/kubeconfig 644 \
  https://api-int.example.test:6443 'client-certificate: /etc/kubernetes/static-pod-certs/secrets/kube-controller-manager-client-cert-key/tls.crt'
folder /var/lib/etcd 700
folder /var/lib/etcd/member 700
folder /var/lib/etcd/member/snap 700
file /var/lib/etcd/member/snap/db 600 <<<bolt
folder /home/core/assets/backup 700
file /home/core/assets/backup/snapshot_2026-11-24_120000.db 600 <<<copy
socket /run/crio/crio.sock 660

file /etc/systemd/system/kubelet.service 644 <<'END'
[Service]
EnvironmentFile=/etc/os-release
EnvironmentFile=-/etc/kubernetes/kubelet-workaround
EnvironmentFile=-/etc/kubernetes/kubelet-env
EnvironmentFile=/etc/node-sizing.env
ExecStart=/usr/local/bin/kubenswrapper /usr/bin/kubelet --config=/etc/kubernetes/kubelet.conf
END
file /etc/systemd/system/kubelet.service.d/20-logging.conf 644 <<'END'
[Service]
Environment="KUBELET_LOG_LEVEL=2"
END
file /etc/node-sizing.env 644 <<<'SYSTEM_RESERVED_MEMORY=1Gi'
runs /usr/bin/kubelet /usr/bin/kubelet --config=/etc/kubernetes/kubelet.conf \
  --bootstrap-kubeconfig=/etc/kubernetes/kubeconfig --kubeconfig=/var/lib/kubelet/kubeconfig \
  --container-runtime-endpoint=/var/run/crio/crio.sock --runtime-cgroups=/system.slice/crio.service \
  --node-labels=node-role.kubernetes.io/control-plane,node-role.kubernetes.io/master,node.openshift.io/os_id=rhcos \
  --node-ip=198.51.100.51 --cloud-provider=external \
  --volume-plugin-dir=/etc/kubernetes/kubelet-plugins/volume/exec --hostname-override=master-0 \
  --register-with-taints=node-role.kubernetes.io/master=:NoSchedule --v=2
