system sles 15.7 'SUSE Linux Enterprise Server 15 SP7' rke2-1
rancher rke2 644
leaf $B/server/tls/etcd/peer-server-client 644 600
file $B/server/tls/service.key 600 </.own/leaf.key
kubeconfig $B/agent/kubelet.kubeconfig 600 https://127.0.0.1:6443 \
  "client-certificate: $B/agent/client-kubelet.crt" "client-key: $B/agent/client-kubelet.key"
kubeconfig $B/agent/kubeproxy.kubeconfig 600 https://127.0.0.1:6443 \
  "client-certificate: $B/agent/client-kube-proxy.crt" "client-key: $B/agent/client-kube-proxy.key"
pod $M/etcd.yaml 644 kube-system/etcd index.docker.io/rancher/hardened-etcd:v3.5.21-k3s1-build20250910 \
  0c4ad17e0a1d1f5b2b1f5d0a7d4b2c11 "$B/server/db/etcd:rw $B/server/tls/etcd/server-client.crt:ro" \
  etcd --config-file=$B/server/db/etcd/config
pod $M/kube-apiserver.yaml 644 kube-system/kube-apiserver \
  index.docker.io/rancher/hardened-kubernetes:v1.34.1-rke2r1-build20250910 1f5d0a7d4b2c110c4ad17e0a1d1f5b2b \
  "$B/server:rw" kube-apiserver --client-ca-file=$B/server/tls/client-ca.crt \
  --tls-cert-file=$B/server/tls/serving-kube-apiserver.crt \
  --tls-private-key-file=$B/server/tls/serving-kube-apiserver.key \
  --encryption-provider-config=$B/server/cred/encryption-config.json \
  --admission-control-config-file=/etc/rancher/rke2/rke2-pss.yaml
pod $M/kube-proxy.yaml 644 kube-system/kube-proxy index.docker.io/rancher/hardened-kubernetes:v1.34.1-rke2r1-build20250910 \
  2b1f5d0a7d4b2c110c4ad17e0a1d1f5b "$B/agent/kubeproxy.kubeconfig:ro" \
  kube-proxy --kubeconfig=$B/agent/kubeproxy.kubeconfig
file $B/server/cred/encryption-config.json 600 <<'END'
{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[{"resources":["secrets"],"providers":[{"aescbc":{"keys":[{"name":"aescbckey","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}},{"identity":{}}]}]}
END
file /etc/rancher/rke2/rke2-pss.yaml 600 <<'END'
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1beta1
    kind: PodSecurityConfiguration
    defaults: {enforce: privileged, enforce-version: latest}
    exemptions: {usernames: [], runtimeClasses: [], namespaces: []}
END
file $B/server/db/snapshots/etcd-snapshot-rke2-1-1764000000 600 <<<copy
echo 'write-kubeconfig-mode: "0600"' | file /etc/rancher/rke2/config.yaml 600
file /usr/local/lib/systemd/system/rke2-server.service 644 <<'END'
[Service]
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/usr/local/lib/systemd/system/%N.env
ExecStart=/usr/local/bin/rke2 server
END
runs /usr/local/bin/rke2 '/usr/local/bin/rke2 server' '' ''
runs $B/data/v1.34.1-rke2r1-0123456789ab/bin/kubelet kubelet --volume-plugin-dir=/var/lib/kubelet/volumeplugins \
  --file-check-frequency=5s --sync-frequency=30s --cloud-provider=external \
  --config-dir=$B/agent/etc/kubelet.conf.d --containerd=/run/k3s/containerd/containerd.sock \
  --hostname-override=rke2-1 --kubeconfig=$B/agent/kubelet.kubeconfig --node-ip=198.51.100.41 --node-labels= \
  --read-only-port=0
