system ubuntu 24.04 'Ubuntu 24.04.3 LTS' mk-1
printf 'microk8s:x:1001:\n' >>/etc/group
D=/var/snap/microk8s/8500
C=/var/snap/microk8s/common
mkdir -p $D
ln -s 8500 /var/snap/microk8s/current
file $D/args/kubelet 660 0:1001 <<'END'
--resolv-conf=/run/systemd/resolve/resolv.conf
--kubeconfig=${SNAP_DATA}/credentials/kubelet.config
--cert-dir=${SNAP_DATA}/certs
--client-ca-file=${SNAP_DATA}/certs/ca.crt
--anonymous-auth=false
--root-dir=${SNAP_COMMON}/var/lib/kubelet
--fail-swap-on=false
--eviction-hard="memory.available<100Mi,nodefs.available<1Gi,imagefs.available<1Gi"
--container-runtime-endpoint=${SNAP_COMMON}/run/containerd.sock
--containerd=${SNAP_COMMON}/run/containerd.sock
--node-labels="microk8s.io/cluster=true,node.kubernetes.io/microk8s-controlplane=microk8s-controlplane"
--authentication-token-webhook=true
--authorization-mode=Webhook
--read-only-port=0
--cluster-domain=cluster.local
--serialize-image-pulls=false
END
file $D/args/kube-apiserver 660 0:1001 <<'END'
--cert-dir=${SNAP_DATA}/certs
--client-ca-file=${SNAP_DATA}/certs/ca.crt
--tls-cert-file=${SNAP_DATA}/certs/server.crt
--tls-private-key-file=${SNAP_DATA}/certs/server.key
--etcd-servers="unix://${SNAP_DATA}/var/kubernetes/backend/kine.sock:12379"
END
for n in ca front-proxy-ca; do authority $D/certs/$n 660 660 0:1001; done
for n in server front-proxy-client kubelet; do leaf $D/certs/$n 660 660 0:1001; done
file $D/certs/serviceaccount.key 660 0:1001 </.own/leaf.key
for n in kubelet client controller scheduler proxy; do
  kubeconfig $D/credentials/$n.config 660 https://127.0.0.1:16443 data
  chown 0:1001 $D/credentials/$n.config
done
kubeconfig $D/credentials/kubelet.config 660 https://127.0.0.1:16443 node
folder $C/var/lib/kubelet 755
folder /var/lib 755
ln -s $C/var/lib/kubelet /var/lib/kubelet
folder $D/var/kubernetes/backend 770 0:1001
file $D/var/kubernetes/backend/cluster.key 660 0:1001 </.own/leaf.key
file $D/var/kubernetes/backend/snapshot-1-1-1 660 0:1001 <<<raft
socket $C/run/containerd.sock 660 0:1001
file /etc/systemd/system/snap.microk8s.daemon-kubelite.service 644 <<'END'
[Service]
EnvironmentFile=-/etc/environment
ExecStart=/usr/bin/snap run microk8s.daemon-kubelite
END
runs /snap/microk8s/8500/kubelite /snap/microk8s/8500/kubelite \
  --scheduler-args-file=$D/args/kube-scheduler --controller-manager-args-file=$D/args/kube-controller-manager \
  --proxy-args-file=$D/args/kube-proxy --kubelet-args-file=$D/args/kubelet \
  --apiserver-args-file=$D/args/kube-apiserver --kubeconfig-file=$D/credentials/client.config \
  --start-control-plane=true
