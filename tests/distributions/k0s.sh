system alpine 3.22.1 'Alpine Linux v3.22' k0s-1
for n in etcd:301 kube-apiserver:302 kube-scheduler:303; do
  printf '%s:x:%s:%s::/:/sbin/nologin\n' ${n%:*} ${n#*:} ${n#*:} >>/etc/passwd
  printf '%s:x:%s:\n' ${n%:*} ${n#*:} >>/etc/group
done
B=/var/lib/k0s
folder $B 755
folder $B/pki 751
authority $B/pki/ca 640 640 0:0
authority $B/pki/front-proxy-ca 640 640
for n in server admin apiserver-kubelet-client front-proxy-client; do leaf $B/pki/$n 644 640 302:0; done
file $B/pki/sa.key 640 302:0 </.own/leaf.key
openssl pkey -in /.own/leaf.key -pubout | file $B/pki/sa.pub 640 302:0
for n in ca server peer; do leaf $B/pki/etcd/$n 644 640 301:0; done
kubeconfig $B/pki/admin.conf 600 https://localhost:6443 data
kubeconfig $B/pki/scheduler.conf 600 https://localhost:6443 data; chown 303:0 $B/pki/scheduler.conf
kubeconfig $B/kubelet.conf 600 https://localhost:7443 \
  "client-certificate: $B/kubelet/pki/kubelet-client-current.pem" \
  "client-key: $B/kubelet/pki/kubelet-client-current.pem"
folder $B/kubelet/pki 750
rotated $B/kubelet/pki
file /run/k0s/kubelet/config.yaml 644 <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook: {cacheTTL: 0s, enabled: true}
  x509:
    clientCAFile: /var/lib/k0s/pki/ca.crt
authorization:
  mode: Webhook
cgroupsPerQOS: true
containerRuntimeEndpoint: unix:///run/k0s/containerd.sock
eventRecordQPS: 0
failSwapOn: false
kind: KubeletConfiguration
kubeReservedCgroup: system.slice
kubeletCgroups: /system.slice/containerd.service
rotateCertificates: true
serverTLSBootstrap: true
staticPodURL: http://127.0.0.1:33841/manifests
volumePluginDir: /usr/libexec/k0s/kubelet-plugins/volume/exec
END
folder $B/etcd 700 301:0
folder $B/etcd/member 700 301:0
folder $B/etcd/member/snap 700 301:0
file $B/etcd/member/snap/db 600 301:0 <<<bolt
socket /run/k0s/containerd.sock 660
file /etc/systemd/system/k0scontroller.service 644 <<'END'
[Service]
ExecStart=/usr/local/bin/k0s controller --enable-worker=true
END
runs /usr/local/bin/k0s /usr/local/bin/k0s controller --enable-worker=true
runs_as 302 $B/bin/kube-apiserver --client-ca-file=$B/pki/ca.crt --tls-cert-file=$B/pki/server.crt
runs_as 301 $B/bin/etcd --data-dir=$B/etcd
runs $B/bin/kubelet $B/bin/kubelet --root-dir=$B/kubelet --config=/run/k0s/kubelet/config.yaml \
  --kubeconfig=$B/kubelet.conf --v=1 --runtime-cgroups=/system.slice/containerd.service --cert-dir=$B/kubelet/pki \
  --containerd=/run/k0s/containerd.sock --hostname-override=k0s-1
