system amzn 2023 'Amazon Linux 2023.8.20250915' ip-198-51-100-61.ec2.internal
file /etc/kubernetes/kubelet/config.json 644 <<'END'
{
    "address": "0.0.0.0",
    "authentication": {
        "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
        "webhook": {"enabled": true, "cacheTTL": "2m0s"},
        "anonymous": {"enabled": false}
    },
    "authorization": {"mode": "Webhook", "webhook": {"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"}},
    "cgroupDriver": "systemd",
    "cgroupRoot": "/",
    "clusterDNS": ["10.100.0.10"],
    "clusterDomain": "cluster.local",
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    "evictionHard": {"memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%"},
    "featureGates": {"DynamicResourceAllocation": true, "RotateKubeletServerCertificate": true},
    "hairpinMode": "hairpin-veth",
    "kubeReserved": {"cpu": "70m", "ephemeral-storage": "1Gi", "memory": "442Mi"},
    "logging": {"verbosity": 2},
    "maxPods": 29,
    "protectKernelDefaults": true,
    "providerID": "aws:///us-east-1a/i-0123456789abcdef0",
    "readOnlyPort": 0,
    "serializeImagePulls": false,
    "serverTLSBootstrap": true,
    "tlsCipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    "kind": "KubeletConfiguration",
    "apiVersion": "kubelet.config.k8s.io/v1beta1"
}
END
file /etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf 644 <<'END'
{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "maxPods": 58}
END
kubeconfig /var/lib/kubelet/kubeconfig 644 https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com \
  'exec:' '  apiVersion: client.authentication.k8s.io/v1beta1' '  command: aws' \
  '  args: ["eks", "get-token", "--cluster-name", "a", "--region", "us-east-1"]'
file /etc/kubernetes/pki/ca.crt 644 </.own/ca.crt
folder /etc/kubernetes/manifests 755
folder /var/lib/kubelet/pki 755
cat /.own/leaf.crt /.own/leaf.key | file /var/lib/kubelet/pki/kubelet-server-2026-11-24-17-10-28.pem 600
ln -s /var/lib/kubelet/pki/kubelet-server-2026-11-24-17-10-28.pem /var/lib/kubelet/pki/kubelet-server-current.pem
socket /run/containerd/containerd.sock 660
file /etc/eks/kubelet/environment 644 <<'END'
NODEADM_KUBELET_ARGS=--cloud-provider=external --config=/etc/kubernetes/kubelet/config.json
END
file /etc/systemd/system/kubelet.service 644 <<'END'
[Service]
EnvironmentFile=/etc/eks/kubelet/environment
ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS
END
runs /usr/bin/kubelet /usr/bin/kubelet --cloud-provider=external \
  --config-dir=/etc/kubernetes/kubelet/config.json.d --config=/etc/kubernetes/kubelet/config.json \
  --hostname-override=ip-198-51-100-61.ec2.internal \
  --image-credential-provider-bin-dir=/etc/eks/image-credential-provider \
  --image-credential-provider-config=/etc/eks/image-credential-provider/config.json \
  --kubeconfig=/var/lib/kubelet/kubeconfig --node-ip=198.51.100.61 --node-labels= --v=2
