system cos 121 'Container-Optimized OS from Google' gke-a-default-pool-01234567-abcd
file /home/kubernetes/kubelet-config.yaml 644 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: true
  x509:
    clientCAFile: /etc/srv/kubernetes/pki/ca-certificates.crt
authorization:
  mode: Webhook
cgroupRoot: /
clusterDNS: [34.118.224.10]
clusterDomain: cluster.local
enableDebuggingHandlers: true
evictionHard: {memory.available: 100Mi, nodefs.available: 10%, nodefs.inodesFree: 5%, pid.available: 10%}
featureGates: {DisableKubeletCloudCredentialProviders: true, RotateKubeletServerCertificate: true}
kernelMemcgNotification: true
kind: KubeletConfiguration
kubeReserved: {cpu: 1060m, ephemeral-storage: 41Gi, memory: 1019Mi}
readOnlyPort: 10255
serverTLSBootstrap: true
staticPodPath: /etc/kubernetes/manifests
END
F='--v=2 --cloud-provider=external --experimental-mounter-path=/home/kubernetes/containerized_mounter/mounter --cert-dir=/var/lib/kubelet/pki/ --kubeconfig=/var/lib/kubelet/kubeconfig --max-pods=110 --volume-plugin-dir=/home/kubernetes/flexvolume --node-status-max-images=25 --container-runtime-endpoint=unix:///run/containerd/containerd.sock --runtime-cgroups=/system.slice/containerd.service --registry-qps=10 --registry-burst=20 --config /home/kubernetes/kubelet-config.yaml'
echo "KUBELET_OPTS=\"$F\"" | file /etc/default/kubelet 644
file /etc/systemd/system/kubelet.service 644 <<'END'
[Service]
EnvironmentFile=/etc/default/kubelet
ExecStart=/home/kubernetes/bin/kubelet $KUBELET_OPTS
END
file /etc/srv/kubernetes/pki/ca-certificates.crt 644 </.own/ca.crt
kubeconfig /var/lib/kubelet/bootstrap-kubeconfig 600 https://198.51.100.70 \
  'exec:' '  apiVersion: client.authentication.k8s.io/v1beta1' '  command: /home/kubernetes/bin/gke-exec-auth-plugin' \
  '  args: ["--cache-dir", "/var/lib/kubelet/pki/", "--mode=tpm"]'
kubeconfig /var/lib/kubelet/kubeconfig 600 https://198.51.100.70 \
  'exec:' '  apiVersion: client.authentication.k8s.io/v1beta1' '  command: /home/kubernetes/bin/gke-exec-auth-plugin' \
  '  args: ["--cache-dir", "/var/lib/kubelet/pki/"]'
kubeconfig /var/lib/kube-proxy/kubeconfig 600 https://198.51.100.70 'token: throwaway'
folder /var/lib/kubelet/pki 755
rotated /var/lib/kubelet/pki
M=/etc/kubernetes/manifests
folder $M 755
pod $M/kube-proxy.manifest 644 kube-system/kube-proxy gke.gcr.io/kube-proxy-amd64:v1.33.4-gke.1172000 '' \
  '/etc/ssl/certs:ro /var/lib/kube-proxy/kubeconfig:rw /run/xtables.lock:rw /lib/modules:ro' \
  kube-proxy --kubeconfig=/var/lib/kube-proxy/kubeconfig --master=https://198.51.100.70
socket /run/containerd/containerd.sock 660
runs /home/kubernetes/bin/kubelet /home/kubernetes/bin/kubelet $F
