system ubuntu 22.04 'Ubuntu 22.04.5 LTS' aks-nodepool1-12345678-vmss000000
F='--address=0.0.0.0 --anonymous-auth=false --authentication-token-webhook=true --authorization-mode=Webhook --azure-container-registry-config=/etc/kubernetes/azure.json --cgroups-per-qos=true --client-ca-file=/etc/kubernetes/certs/ca.crt --cloud-config= --cloud-provider=external --cluster-dns=10.0.0.10 --cluster-domain=cluster.local --enforce-node-allocatable=pods --event-qps=0 --eviction-hard=memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,pid.available<2000 --image-gc-high-threshold=85 --image-gc-low-threshold=80 --kube-reserved=cpu=100m,memory=1843Mi,pid=1000 --kubeconfig=/var/lib/kubelet/kubeconfig --max-pods=110 --node-status-update-frequency=10s --pod-infra-container-image=mcr.microsoft.com/oss/kubernetes/pause:3.6 --pod-manifest-path=/etc/kubernetes/manifests --pod-max-pids=-1 --protect-kernel-defaults=true --read-only-port=0 --resolv-conf=/run/systemd/resolve/resolv.conf --rotate-certificates=true --streaming-connection-idle-timeout=4h --tls-cert-file=/etc/kubernetes/certs/kubeletserver.crt --tls-private-key-file=/etc/kubernetes/certs/kubeletserver.key'
{
  echo "KUBELET_FLAGS=$F"
  echo 'KUBELET_REGISTER_SCHEDULABLE=true'
  echo 'KUBELET_NODE_LABELS=agentpool=nodepool1,kubernetes.azure.com/cluster=a,kubernetes.azure.com/mode=system'
} | file /etc/default/kubelet 600
file /etc/systemd/system/kubelet.service 644 <<'END'
[Service]
EnvironmentFile=/etc/default/kubelet
ExecStart=/usr/local/bin/kubelet --enable-server --node-labels="${KUBELET_NODE_LABELS}" --v=2 --volume-plugin-dir=/etc/kubernetes/volumeplugins $KUBELET_TLS_BOOTSTRAP_FLAGS $KUBELET_CONFIG_FILE_FLAGS $KUBELET_CONTAINERD_FLAGS $KUBELET_FLAGS
END
file /etc/systemd/system/kubelet.service.d/10-containerd.conf 644 <<'END'
[Service]
Environment=KUBELET_CONTAINERD_FLAGS="--runtime-request-timeout=15m --container-runtime-endpoint=unix:///run/containerd/containerd.sock --runtime-cgroups=/system.slice/containerd.service"
END
file /etc/systemd/system/kubelet.service.d/10-tlsbootstrap.conf 644 <<'END'
[Service]
Environment=KUBELET_TLS_BOOTSTRAP_FLAGS="--kubeconfig /var/lib/kubelet/kubeconfig --bootstrap-kubeconfig /var/lib/kubelet/bootstrap-kubeconfig"
END
file /etc/kubernetes/certs/ca.crt 600 </.own/ca.crt
leaf /etc/kubernetes/certs/kubeletserver 644 600
file /etc/kubernetes/azure.json 600 <<<'{"cloud": "AzurePublicCloud"}'
kubeconfig /var/lib/kubelet/bootstrap-kubeconfig 600 https://a.hcp.eastus.azmk8s.io:443 'token: "throwaway"'
kubeconfig /var/lib/kubelet/kubeconfig 600 https://a.hcp.eastus.azmk8s.io:443 \
  'client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem' \
  'client-key: /var/lib/kubelet/pki/kubelet-client-current.pem'
folder /var/lib/kubelet/pki 755
rotated /var/lib/kubelet/pki
folder /etc/kubernetes/manifests 755
socket /run/containerd/containerd.sock 660
set -f
runs /usr/local/bin/kubelet /usr/local/bin/kubelet --enable-server --node-labels=agentpool=nodepool1 --v=2 \
  --volume-plugin-dir=/etc/kubernetes/volumeplugins --kubeconfig /var/lib/kubelet/kubeconfig \
  --bootstrap-kubeconfig /var/lib/kubelet/bootstrap-kubeconfig --runtime-request-timeout=15m \
  --container-runtime-endpoint=unix:///run/containerd/containerd.sock \
  --runtime-cgroups=/system.slice/containerd.service $F
