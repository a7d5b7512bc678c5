system ubuntu 24.04 'Ubuntu 24.04.3 LTS' i-0123456789abcdef0
K=/srv/kubernetes
authority $K/ca 600 600
for n in kube-apiserver/server kube-apiserver/etcd-client kube-apiserver/kubelet-api; do leaf $K/$n 644 600; done
file $K/kube-apiserver/etcd-ca.crt 600 </.own/ca.crt
file $K/kube-apiserver/service-account.pub 644 </.own/leaf.crt
file $K/kube-controller-manager/service-account.key 600 </.own/leaf.key
file $K/kubelet-server.crt 644 </.own/leaf.crt
file $K/kubelet-server.key 600 </.own/leaf.key
kubeconfig /var/lib/kubelet/kubeconfig 400 https://127.0.0.1 node
kubeconfig /var/lib/kube-controller-manager/kubeconfig 400 https://127.0.0.1 data
kubeconfig /var/lib/kube-scheduler/kubeconfig 400 https://127.0.0.1 data
kubeconfig /var/lib/kube-proxy/kubeconfig 400 https://127.0.0.1 data
# The name of a kubeconfig elsewhere: here the kubelet's configuration.
file /var/lib/kubelet/kubelet.conf 640 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: true
  x509:
    clientCAFile: /srv/kubernetes/ca.crt
authorization:
  mode: Webhook
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
tlsCertFile: /srv/kubernetes/kubelet-server.crt
tlsPrivateKeyFile: /srv/kubernetes/kubelet-server.key
END
F="--cloud-provider=external --config=/var/lib/kubelet/kubelet.conf --hostname-override=i-0123456789abcdef0 --kubeconfig=/var/lib/kubelet/kubeconfig --register-schedulable=true --v=2 --volume-plugin-dir=/usr/libexec/kubernetes/kubelet-plugins/volume/exec/ --runtime-cgroups=/system.slice/containerd.service"
echo "DAEMON_ARGS=\"$F\"" | file /etc/sysconfig/kubelet 644
file /lib/systemd/system/kubelet.service 644 <<'END'
[Service]
EnvironmentFile=/etc/sysconfig/kubelet
ExecStart=/usr/local/bin/kubelet "$DAEMON_ARGS"
END
M=/etc/kubernetes/manifests
folder $M 755
pod $M/etcd-main.manifest 400 kube-system/etcd-manager-main registry.k8s.io/etcd-manager/etcd-manager-slim:v3.0.20250803 '' \
  '/:rw /run:rw /etc/kubernetes/pki/etcd-manager-main:rw' /etcd-manager --backup-store=s3://state/main \
  --client-urls=https://__name__:4001 --cluster-name=etcd --containerized=true --volume-provider=aws
pod $M/kube-apiserver.manifest 400 kube-system/kube-apiserver registry.k8s.io/kube-apiserver:v1.33.4 '' \
  "$K/kube-apiserver:ro $K/ca.crt:ro" /usr/local/bin/kube-apiserver --client-ca-file=$K/ca.crt \
  --tls-cert-file=$K/kube-apiserver/server.crt --tls-private-key-file=$K/kube-apiserver/server.key \
  --etcd-cafile=$K/kube-apiserver/etcd-ca.crt
pod $M/kube-proxy.manifest 400 kube-system/kube-proxy registry.k8s.io/kube-proxy:v1.33.4 '' \
  '/var/lib/kube-proxy/kubeconfig:ro' /usr/local/bin/kube-proxy --kubeconfig=/var/lib/kube-proxy/kubeconfig
for n in controller-manager scheduler; do
  pod $M/kube-$n.manifest 400 kube-system/kube-$n registry.k8s.io/kube-$n:v1.33.4 '' "/var/lib/kube-$n:ro" \
    /usr/local/bin/kube-$n --kubeconfig=/var/lib/kube-$n/kubeconfig
done
kubeconfig /var/lib/kubectl/kubeconfig 400 https://127.0.0.1 data
authority /etc/kubernetes/pki/etcd-manager-main/etcd-manager-ca 644 600
V=/mnt/master-vol-0123456789abcdef0
D=$V/data/abcdefghijklmnopqrstuv
folder $D 700
folder $D/member 700
folder $D/member/snap 700
file $D/member/snap/db 600 <<<bolt
for n in ca server; do leaf $V/pki/abcdefghijklmnopqrstuv/clients/$n; done
socket /run/containerd/containerd.sock 660
runs /usr/local/bin/kubelet /usr/local/bin/kubelet $F
