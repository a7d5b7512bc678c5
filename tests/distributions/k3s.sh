system debian 13 'Debian GNU/Linux 13 (trixie)' k3s-1
rancher k3s 600 $'clusterDNS: [10.43.0.10]\nclusterDomain: cluster.local' \
  'resolvConf: /run/systemd/resolve/resolv.conf'
for n in kubelet kubeproxy k3scontroller; do
  kubeconfig $B/agent/$n.kubeconfig 600 https://127.0.0.1:6444 \
    "client-certificate: $B/agent/client-$n.crt" "client-key: $B/agent/client-$n.key"
done
pod $M/kube-vip.yaml 600 kube-system/kube-vip ghcr.io/kube-vip/kube-vip:v0.9.2 '' '/etc/rancher/k3s/k3s.yaml:ro' \
  /kube-vip manager
printf 'cluster-init: true\nkubelet-arg:\n  - "max-pods=200"\n' | file /etc/rancher/k3s/config.yaml 600
file /etc/systemd/system/k3s.service 644 <<'END'
[Service]
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/k3s.service.env
ExecStart=/usr/local/bin/k3s \
    server \
	'--token' \
	'K10secret' \
	'--kubelet-arg' \
	'event-qps=0' \
	'--kubelet-arg=pod-max-pids=4096' \

END
file /etc/systemd/system/k3s.service.env 600 </dev/null
# k3s writes over its command line, since that may hold a token.
file /usr/local/bin/k3s 755 </.own/stay
runs $B/data/0123456789abcdef/bin/k3s-server '/usr/local/bin/k3s server' '' '' ''
