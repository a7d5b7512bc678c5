system bottlerocket 1.44.0 'Bottlerocket OS 1.44.0 (aws-k8s-1.33)' ip-198-51-100-81.ec2.internal
file /etc/kubernetes/kubelet/config 600 <<'END'
---
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
address: 0.0.0.0
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 2m0s
    enabled: true
  x509:
    clientCAFile: "/etc/kubernetes/pki/ca.crt"
authorization:
  mode: Webhook
clusterDomain: cluster.local
clusterDNS: ["10.100.0.10"]
kubeReservedCgroup: "/runtime"
cpuCFSQuota: true
resolvConf: "/etc/resolv.conf"
hairpinMode: hairpin-veth
readOnlyPort: 0
cgroupDriver: systemd
cgroupRoot: "/"
runtimeRequestTimeout: 15m
protectKernelDefaults: true
serializeImagePulls: false
seccompDefault: false
serverTLSBootstrap: true
tlsCipherSuites: ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
volumePluginDir: "/var/lib/kubelet/plugins/volume/exec"
maxPods: 29
staticPodPath: "/etc/kubernetes/static-pods/"
END
kubeconfig /etc/kubernetes/kubelet/kubeconfig 600 https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com \
  'exec:' '  apiVersion: client.authentication.k8s.io/v1beta1' '  command: /usr/bin/aws-iam-authenticator' \
  '  args: ["token", "-i", "a"]'
file /etc/kubernetes/pki/ca.crt 644 </.own/ca.crt
pod /etc/kubernetes/static-pods/log-agent.yaml 600 kube-system/log-agent public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.5 \
  '' '/var/log:ro' /fluent-bit
chmod 755 /etc/kubernetes/static-pods
folder /var/lib/kubelet/pki 755
cat /.own/leaf.crt /.own/leaf.key | file /var/lib/kubelet/pki/kubelet-server-2026-11-24-17-10-28.pem 600
ln -s /var/lib/kubelet/pki/kubelet-server-2026-11-24-17-10-28.pem /var/lib/kubelet/pki/kubelet-server-current.pem
socket /run/containerd/containerd.sock 660
file /etc/systemd/system/kubelet.service.d/exec-start.conf 644 <<'END'
[Service]
ExecStart=
ExecStart=/usr/bin/kubelet --kubeconfig /etc/kubernetes/kubelet/kubeconfig --config /etc/kubernetes/kubelet/config
END
file /usr/lib/systemd/system/kubelet.service 644 <<'END'
[Service]
EnvironmentFile=/etc/network/proxy.env
EnvironmentFile=/etc/kubernetes/kubelet/env
ExecStart=/usr/bin/kubelet
END
file /etc/kubernetes/kubelet/env 644 <<<'NODE_IP=198.51.100.81'
runs /usr/bin/kubelet /usr/bin/kubelet --cloud-provider external \
  --kubeconfig /etc/kubernetes/kubelet/kubeconfig --config /etc/kubernetes/kubelet/config \
  --container-runtime-endpoint=unix:///run/containerd/containerd.sock \
  --containerd=/run/containerd/containerd.sock --root-dir /var/lib/kubelet --cert-dir /var/lib/kubelet/pki \
  --node-ip 198.51.100.81 --hostname-override ip-198-51-100-81.ec2.internal --node-labels '' --register-with-taints ''
